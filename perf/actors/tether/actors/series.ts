/** A series of a logistic map: has its computer compute a term for each order. Later orders wait in its mailbox. */
import { type ActorRef, type Asks, defineActor } from '../../../../runtime/index.js';
import rateComputer, { type Compute } from './rate-computer.js';

export interface StartSeries {
  readonly type: 'start';
  readonly rate: number;
  readonly term: number;
}

export interface NextTerm {
  readonly type: 'next';
}

export type LastTerm = { readonly type: 'last' } & Asks<number>;

interface Series {
  readonly computer: ActorRef<Compute>;
  rate: number;
  term: number;
}

export default defineActor<StartSeries | NextTerm | LastTerm, Series>({
  type: 'series',
  scope: 'key',
  state: (key, context) => ({ computer: context.ref(rateComputer, key), rate: 0, term: 0 }),
  async receive(messages, { state }) {
    for (const message of messages) {
      switch (message.type) {
        case 'start':
          state.rate = message.body.rate;
          state.term = message.body.term;
          break;
        case 'next':
          state.term = await state.computer.ask({ type: 'compute', rate: state.rate, term: state.term });
          break;
        case 'last':
          message.reply(state.term);
      }
    }
  },
});
