/** Stands between producers and consumers: stores items up to a margin, and lets those wait that must. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';

export interface Item {
  readonly type: 'item';
  readonly item: number;
  readonly from: ActorRef<ProduceItem>;
}

export interface Available {
  readonly type: 'available';
  readonly from: ActorRef<ToConsumer>;
}

/** The order to a producer. */
export interface ProduceItem {
  readonly type: 'produce';
}

export type ToConsumer = { readonly type: 'consume'; readonly item: number } | { readonly type: 'exit' };

export interface OpenBuffer {
  readonly type: 'open';
  /** Items that will come. */
  readonly items: number;
  /** Stored items at which a producer has to wait. */
  readonly full: number;
}

interface Buffer {
  full: number;
  itemsLeft: number;
  readonly stored: number[];
  readonly idleConsumers: ActorRef<ToConsumer>[];
  readonly waitingProducers: ActorRef<ProduceItem>[];
}

const PRODUCE: ProduceItem = { type: 'produce' };
const EXIT: ToConsumer = { type: 'exit' };

export default defineActor<OpenBuffer | Item | Available, Buffer>({
  type: 'buffer',
  scope: 'key',
  state: () => ({ full: 0, itemsLeft: 0, stored: [], idleConsumers: [], waitingProducers: [] }),
  receive(messages, { state }) {
    for (const { body } of messages) {
      switch (body.type) {
        case 'open':
          state.full = body.full;
          state.itemsLeft = body.items;
          break;
        case 'item':
          taken(state, body);
          break;
        case 'available':
          available(state, body);
      }
    }
  },
});

function taken(state: Buffer, { item, from }: Item): void {
  const consumer = state.idleConsumers.shift();
  if (consumer === undefined) state.stored.push(item);
  else deliver(state, consumer, item);
  if (state.stored.length >= state.full) state.waitingProducers.push(from);
  else void from.tell(PRODUCE);
}

function available(state: Buffer, { from }: Available): void {
  const item = state.stored.shift();
  if (item !== undefined) {
    deliver(state, from, item);
    void state.waitingProducers.shift()?.tell(PRODUCE);
  } else if (state.itemsLeft === 0) void from.tell(EXIT);
  else state.idleConsumers.push(from);
}

function deliver(state: Buffer, consumer: ActorRef<ToConsumer>, item: number): void {
  void consumer.tell({ type: 'consume', item });
  if (--state.itemsLeft === 0) for (const idle of state.idleConsumers) void idle.tell(EXIT);
}
