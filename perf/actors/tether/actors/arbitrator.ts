/** Hands out forks by twos to the philosophers of a table; denies what is taken. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';

export interface Hungry {
  readonly type: 'hungry';
  readonly seat: number;
  readonly from: ActorRef<ToPhilosopher>;
}

/** The forks come back. */
export interface Done {
  readonly type: 'done';
  readonly seat: number;
}

export type ToPhilosopher = { readonly type: 'eat' } | { readonly type: 'denied' };

export interface Lay {
  readonly type: 'lay';
  readonly seats: number;
}

const EAT: ToPhilosopher = { type: 'eat' };
const DENIED: ToPhilosopher = { type: 'denied' };

export default defineActor<Lay | Hungry | Done, boolean[]>({
  type: 'arbitrator',
  scope: 'key',
  /** By the number of a fork, whether it is taken. */
  state: () => [],
  receive(messages, context) {
    for (const { body } of messages) {
      if (body.type === 'lay') {
        context.state = new Array<boolean>(body.seats).fill(false);
        continue;
      }
      const taken = context.state;
      const { seat } = body;
      const other = (seat + 1) % taken.length;
      if (body.type === 'done') {
        taken[seat] = false;
        taken[other] = false;
      } else if (taken[seat] || taken[other]) {
        void body.from.tell(DENIED);
      } else {
        taken[seat] = true;
        taken[other] = true;
        void body.from.tell(EAT);
      }
    }
  },
});
