/** Takes byte arrays and counts them, for the way from one thread to another; answers what is asked with itself. */
import { type Asks, defineActor } from '../../../../runtime/index.js';

/** How many byte arrays came since the last time, and their bytes. */
export type Sum = { readonly type: 'sum' } & Asks<readonly [messages: number, bytes: number]>;
export type Echo = { readonly type: 'echo'; readonly bytes: Uint8Array } & Asks<Uint8Array>;

interface Sink {
  messages: number;
  bytes: number;
}

export default defineActor<Uint8Array | Sum | Echo, Sink>({
  type: 'sink',
  scope: 'key',
  batchMax: 64,
  state: () => ({ messages: 0, bytes: 0 }),
  receive(messages, context) {
    const { state } = context;
    for (const message of messages) {
      const { body } = message;
      if (body instanceof Uint8Array) {
        state.messages++;
        state.bytes += body.length;
      } else if (body.type === 'echo') {
        (message.reply as (bytes: Uint8Array) => void)(body.bytes);
      } else {
        (message.reply as (sum: readonly [number, number]) => void)([state.messages, state.bytes]);
        context.state = { messages: 0, bytes: 0 };
      }
    }
  },
});
