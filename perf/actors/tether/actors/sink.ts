/** Takes byte arrays: counts those that it is told, answers those that it is asked with themselves. */
import { type Asks, defineActor } from '../../../../runtime/index.js';

/** How many byte arrays came since the last time, and their bytes. */
export type Sum = { readonly type: 'sum' } & Asks<readonly [messages: number, bytes: number]>;
export type Bytes = Uint8Array & Asks<Uint8Array>;

interface Sink {
  messages: number;
  bytes: number;
}

export default defineActor<Bytes | Sum, Sink>({
  type: 'sink',
  scope: 'key',
  batchMax: 64,
  state: () => ({ messages: 0, bytes: 0 }),
  receive(messages, context) {
    const { state } = context;
    for (const message of messages) {
      const { body } = message;
      if (!(body instanceof Uint8Array)) {
        message.reply([state.messages, state.bytes] as never);
        context.state = { messages: 0, bytes: 0 };
      } else if (message.asked) {
        message.reply(body as never);
      } else {
        state.messages++;
        state.bytes += body.length;
      }
    }
  },
});
