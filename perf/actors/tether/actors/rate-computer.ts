/** Computes the next term of a logistic map. */
import { type Asks, defineActor } from '../../../../runtime/index.js';

export type Compute = {
  readonly type: 'compute';
  readonly rate: number;
  readonly term: number;
} & Asks<number>;

export default defineActor<Compute>({
  type: 'rate-computer',
  scope: 'key',
  receive(messages) {
    for (const message of messages) {
      const { rate, term } = message.body;
      message.reply(rate * term * (1 - term));
    }
  },
});
