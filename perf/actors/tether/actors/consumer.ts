/** Consumes items of a buffer, one for each call, and reports their number and sum to a collector at the end. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';
import type { Available, ToConsumer } from './buffer.js';
import type { Part } from './collector.js';

export interface StartConsumer {
  readonly type: 'start';
  readonly buffer: ActorRef<Available>;
  readonly collector: ActorRef<Part>;
}

interface Consumer {
  readonly available: Available;
  order: StartConsumer | undefined;
  consumed: number;
  sum: number;
}

export default defineActor<StartConsumer | ToConsumer, Consumer>({
  type: 'consumer',
  scope: 'key',
  state: (_, { self }) => ({
    available: { type: 'available', from: self },
    order: undefined,
    consumed: 0,
    sum: 0,
  }),
  receive(messages, { state }) {
    for (const { body } of messages) {
      switch (body.type) {
        case 'start':
          state.order = body;
          break;
        case 'consume':
          state.consumed++;
          state.sum += body.item;
          break;
        case 'exit':
          void state.order?.collector.tell({ type: 'part', numbers: [state.consumed, state.sum] });
          continue;
      }
      void state.order?.buffer.tell(state.available);
    }
  },
});
