/** Pings others at random, one ping in flight, and answers theirs; reports its pongs to a collector after the last. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';
import { PseudoRandom } from '../../pseudo-random.js';
import type { Part } from './collector.js';

export interface StartBig {
  readonly type: 'start';
  readonly seed: number;
  readonly pings: number;
  readonly others: readonly ActorRef<BigPing>[];
  readonly collector: ActorRef<Part>;
}

export interface BigPing {
  readonly type: 'ping';
  readonly from: ActorRef<BigPong>;
}

export interface BigPong {
  readonly type: 'pong';
}

interface Big {
  readonly ping: BigPing;
  random: PseudoRandom;
  order: StartBig | undefined;
  pongs: number;
}

const PONG: BigPong = { type: 'pong' };

export default defineActor<StartBig | BigPing | BigPong, Big>({
  type: 'big',
  scope: 'key',
  state: (_, { self }) => ({
    ping: { type: 'ping', from: self },
    random: new PseudoRandom(0),
    order: undefined,
    pongs: 0,
  }),
  receive(messages, { state }) {
    for (const { body } of messages) {
      switch (body.type) {
        case 'ping':
          void body.from.tell(PONG);
          break;
        case 'pong':
          state.pongs++;
          next(state);
          break;
        case 'start':
          state.order = body;
          state.random = new PseudoRandom(body.seed);
          next(state);
      }
    }
  },
});

function next({ order, pongs, random, ping }: Big): void {
  if (order === undefined) return;
  const other = order.others[random.next() % order.others.length];
  if (pongs < order.pings) void other?.tell(ping);
  else void order.collector.tell({ type: 'part', numbers: [pongs] });
}
