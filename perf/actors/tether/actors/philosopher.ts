/** Eats so many times, asking for the forks until it gets them, and reports its meals to a collector at the end. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';
import type { Done, Hungry, ToPhilosopher } from './arbitrator.js';
import type { Part } from './collector.js';

export interface Sit {
  readonly type: 'sit';
  readonly seat: number;
  readonly rounds: number;
  readonly arbitrator: ActorRef<Hungry | Done>;
  readonly collector: ActorRef<Part>;
}

interface Philosopher {
  readonly order: Sit;
  readonly hungry: Hungry;
  readonly done: Done;
  meals: number;
}

export default defineActor<Sit | ToPhilosopher, Philosopher | undefined>({
  type: 'philosopher',
  scope: 'key',
  receive(messages, context) {
    for (const { body } of messages) {
      if (body.type === 'sit') context.state = seated(body, context.self);
      const { state } = context;
      if (state === undefined) continue;
      const { arbitrator, collector, rounds } = state.order;
      if (body.type === 'eat') {
        state.meals++;
        void arbitrator.tell(state.done);
      }
      if (state.meals < rounds) void arbitrator.tell(state.hungry);
      else void collector.tell({ type: 'part', numbers: [state.meals] });
    }
  },
});

const seated = (order: Sit, self: ActorRef<ToPhilosopher>): Philosopher => ({
  order,
  hungry: { type: 'hungry', seat: order.seat, from: self },
  done: { type: 'done', seat: order.seat },
  meals: 0,
});
