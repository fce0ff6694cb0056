/** An account: gives by asking the other to take. The orders that come meanwhile wait in its mailbox. */
import { type ActorRef, type Asks, defineActor } from '../../../../runtime/index.js';

export type Transfer = { readonly type: 'transfer'; readonly amount: number } & Asks<void>;

export type Report = { readonly type: 'report' } & Asks<number>;

export interface Order {
  readonly type: 'order';
  readonly amount: number;
  readonly to: ActorRef<Transfer>;
  readonly teller: ActorRef<Completed>;
}

/** The answer to an order. */
export interface Completed {
  readonly type: 'completed';
}

export interface OpenAccount {
  readonly type: 'open';
  readonly balance: number;
}

const COMPLETED: Completed = { type: 'completed' };

export default defineActor<OpenAccount | Order | Transfer | Report, number>({
  type: 'account',
  scope: 'key',
  state: () => 0,
  async receive(messages, context) {
    for (const message of messages) {
      switch (message.type) {
        case 'open':
          context.state = message.body.balance;
          break;
        case 'order': {
          const { amount, to, teller } = message.body;
          context.state -= amount;
          await to.ask({ type: 'transfer', amount });
          await teller.tell(COMPLETED);
          break;
        }
        case 'transfer':
          context.state += message.body.amount;
          message.reply();
          break;
        case 'report':
          message.reply(context.state);
      }
    }
  },
});
