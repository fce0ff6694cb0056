/**
 * A set-based actor for tests: it says on a BroadcastChannel what it handled, and does what a payload tells it to.
 *
 * Payloads: `fail` (always throws), `fail:n` (throws at the first n lone deliveries), `final` (throws a final error),
 * `wait:ms` (takes its time), `exit` (ends the thread), `debug` (logs at debug), `hang` (never returns), `block` (an endless loop); anything else is handled.
 */
import { BroadcastChannel } from 'node:worker_threads';
import { type ActorContext, defineActor } from '../../actor.js';
import { EnvelopeError } from '../../errors.js';
import type { Message } from '../../message.js';

export interface RecorderSettings {
  readonly channel: string;
  /** Threads from this number on never open. */
  readonly opensBelow?: number;
}

export interface Recorded {
  readonly thread: number;
  readonly handled: readonly { readonly key: string; readonly dedupe: string; readonly attempt: number }[];
}

interface Resources {
  readonly channel: BroadcastChannel;
  readonly thread: number;
}

async function receive(
  messages: readonly Message[],
  { resources, logger }: ActorContext<unknown, Resources>,
) {
  for (const { payload, attempt } of messages) {
    const text = Buffer.from(payload).toString();
    const [verb, count] = text.split(':');
    if (verb === 'fail' && (count === undefined || attempt <= Number(count))) throw new Error('told to fail');
    if (verb === 'wait') await new Promise((resolve) => setTimeout(resolve, Number(count)));
    if (verb === 'final') throw new EnvelopeError('told to fail for good');
    if (verb === 'debug') logger.debug({}, 'told to log');
    if (verb === 'exit') process.exit(3);
    if (verb === 'hang') await new Promise(() => {});
    if (verb === 'block') for (;;);
  }
  const handled = messages.map(({ key, dedupe, attempt }) => ({ key, dedupe, attempt }));
  resources.channel.postMessage({ thread: resources.thread, handled } satisfies Recorded);
}

export default defineActor<unknown, unknown, Resources>({
  type: 'recorder',
  scope: 'thread',
  async open({ settings, thread }) {
    const { channel, opensBelow = Number.POSITIVE_INFINITY } = settings as RecorderSettings;
    if (thread >= opensBelow) await new Promise(() => {});
    return { channel: new BroadcastChannel(channel), thread };
  },
  close({ channel }) {
    channel.close();
  },
  receive,
});
