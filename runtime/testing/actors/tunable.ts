/**
 * An actor for tests whose settings change while it works: it says on a BroadcastChannel what it was told to be, and what it was at the
 * begin and at the end of each call. A payload `wait:ms` takes its time, `exit` ends the thread. Its scope stands in the query of its
 * module's URL.
 */
import { BroadcastChannel } from 'node:worker_threads';
import { type ActorContext, defineActor } from '../../actor.js';
import type { Message } from '../../message.js';

export interface TunableSettings {
  readonly channel: string;
  readonly word: string;
  /** What `configure` does: throws, takes so many milliseconds, or never returns. */
  readonly does?: 'throw' | 'hang' | number;
  /** In which thread it does that; default: in all. */
  readonly only?: number;
}

export interface Tuned {
  readonly thread: number;
  readonly event: 'opened' | 'configured' | 'waits' | 'received';
  readonly word: string;
  /** At the end of a call. */
  readonly after?: string;
}

interface Resources {
  readonly channel: BroadcastChannel;
  readonly thread: number;
  word: string;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const say = ({ channel, thread, word }: Resources, event: Tuned['event'], more: Partial<Tuned> = {}) =>
  channel.postMessage({ thread, event, word, ...more } satisfies Tuned);

async function receive(messages: readonly Message[], { resources }: ActorContext<unknown, Resources>) {
  const { word } = resources;
  for (const { payload } of messages) {
    const [verb, count] = Buffer.from(payload).toString().split(':');
    if (verb === 'wait') {
      say(resources, 'waits');
      await wait(Number(count));
    }
    if (verb === 'exit') process.exit(3);
  }
  say(resources, 'received', { word, after: resources.word });
}

export default defineActor<unknown, unknown, Resources>({
  type: 'tunable',
  scope: new URL(import.meta.url).searchParams.get('scope') === 'key' ? 'key' : 'thread',
  open({ settings, thread }) {
    const { channel, word } = settings as TunableSettings;
    const resources = { channel: new BroadcastChannel(channel), thread, word };
    say(resources, 'opened');
    return resources;
  },
  configure(resources, settings) {
    const { word, does, only = resources.thread } = settings as TunableSettings;
    const take = () => {
      resources.word = word;
      say(resources, 'configured');
    };
    if (only !== resources.thread || does === undefined) return take();
    if (does === 'throw') throw new Error(`told to refuse ${word}`);
    return does === 'hang' ? new Promise(() => {}) : wait(does).then(take);
  },
  close: ({ channel }) => channel.close(),
  receive,
});
