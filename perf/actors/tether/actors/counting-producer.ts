/** Sends increments to a counter as fast as that takes them, and answers with what it counted. */
import { type Asks, defineActor } from '../../../../runtime/index.js';
import counter, { type Increment } from './counter.js';

export type Produce = { readonly type: 'produce'; readonly messages: number } & Asks<readonly number[]>;

const INCREMENT: Increment = { type: 'increment' };

export default defineActor<Produce>({
  type: 'counting-producer',
  scope: 'key',
  async receive(messages, context) {
    const to = context.ref(counter, context.key);
    for (const message of messages) {
      for (let sent = 0; sent < message.body.messages; sent++) {
        const room = to.tell(INCREMENT);
        if (room !== undefined) await room;
      }
      message.reply([await to.ask({ type: 'retrieve' })]);
    }
  },
});
