/** Produces numbered items for a buffer, one for each order. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';
import type { Item, ProduceItem } from './buffer.js';

export interface StartProducer {
  readonly type: 'start';
  readonly buffer: ActorRef<Item>;
  readonly items: number;
}

interface Producer {
  readonly self: ActorRef<ProduceItem>;
  order: StartProducer | undefined;
  produced: number;
}

export default defineActor<StartProducer | ProduceItem, Producer>({
  type: 'producer',
  scope: 'key',
  state: (_, { self }) => ({ self, order: undefined, produced: 0 }),
  receive(messages, { state }) {
    for (const { body } of messages) {
      if (body.type === 'start') state.order = body;
      const { self, order, produced } = state;
      if (order === undefined || produced === order.items) continue;
      void order.buffer.tell({ type: 'item', item: produced, from: self });
      state.produced++;
    }
  },
});
