/** Counts increments, and says how many when it is asked. */
import { type Asks, defineActor } from '../../../../runtime/index.js';

export interface Increment {
  readonly type: 'increment';
}

export type Retrieve = { readonly type: 'retrieve' } & Asks<number>;

export default defineActor<Increment | Retrieve, number>({
  type: 'counter',
  scope: 'key',
  state: () => 0,
  receive(messages, context) {
    for (const message of messages) {
      if (message.type === 'increment') context.state++;
      else message.reply(context.state);
    }
  },
});
