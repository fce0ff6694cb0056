/**
 * What the test actors `traced-front` and `traced-back` share: they say on a BroadcastChannel what came and, when
 * `settings.provider` has them register a provider, which spans ended in their threads.
 *
 * The front takes messages of the log, and tells the back of the same key, which asks the front of the key `register` and then
 * sends a durable message to the front of the key `end`.
 */
import { BroadcastChannel } from 'node:worker_threads';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { ThreadContext } from '../../actor.js';
import { recordOf, registerProvider, type SpanRecord } from '../spans.js';

export interface TracedSettings {
  readonly channel: string;
  readonly provider: boolean;
}

export type TracedSaid =
  | { readonly actor: string; readonly thread: number; readonly key: string; readonly traceparent: string }
  | { readonly actor: string; readonly thread: number; readonly span: SpanRecord };

/** In `open`, as a user may. */
export function openTraced({ actor, thread, settings }: ThreadContext) {
  const { channel: name, provider } = settings as TracedSettings;
  const channel = new BroadcastChannel(name);
  const say = (said: object) => channel.postMessage({ actor, thread, ...said });
  if (provider) {
    registerProvider({
      export(spans: ReadableSpan[], done) {
        for (const span of spans) say({ span: recordOf(span) });
        done({ code: 0 });
      },
      shutdown: async () => {},
    });
  }
  return { channel, say };
}

export type Traced = ReturnType<typeof openTraced>;
