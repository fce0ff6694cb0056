/** Sends customers to a barber's room, whoever was turned away when another leaves; answers when all had a haircut. */
import { type ActorRef, type Asks, defineActor, type Message } from '../../../../runtime/index.js';
import customer, { type ToCustomer, type ToFactory } from './customer.js';
import waitingRoom, { type Enter } from './waiting-room.js';

export type SendCustomers = {
  readonly type: 'send';
  readonly haircuts: number;
  readonly places: number;
} & Asks<readonly number[]>;

interface Factory {
  send: Message<SendCustomers> | undefined;
  readonly room: ActorRef<Enter>;
  readonly returned: ActorRef<ToCustomer>[];
  left: number;
  /** Those that customers left and nobody was sent to again. */
  places: number;
}

export default defineActor<SendCustomers | ToFactory, Factory>({
  type: 'customer-factory',
  scope: 'key',
  state: (key, context) => ({
    send: undefined,
    room: context.ref(waitingRoom, key),
    returned: [],
    left: 0,
    places: 0,
  }),
  async receive(messages, context) {
    const { state, key } = context;
    for (const message of messages) {
      switch (message.type) {
        case 'send': {
          state.send = message;
          const { haircuts, places } = message.body;
          void context.ref(waitingRoom, key).tell({ type: 'open', places, factory: context.self });
          for (let at = 0; at < haircuts; at++)
            await state.room.tell({ type: 'enter', customer: context.ref(customer, `${key}-${at}`) });
          break;
        }
        case 'returned':
          state.returned.push(message.body.customer);
          sendAgain(state);
          break;
        case 'leave':
          state.left++;
          state.places++;
          if (state.left === state.send?.body.haircuts) state.send.reply([state.left]);
          sendAgain(state);
      }
    }
  },
});

function sendAgain(state: Factory): void {
  const again = state.places > 0 ? state.returned.shift() : undefined;
  if (again === undefined) return;
  state.places--;
  void state.room.tell({ type: 'enter', customer: again });
}
