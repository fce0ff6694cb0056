/** Where customers wait for the barber, and are turned away when there is no place. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';
import barber, { type Call, type Next } from './barber.js';
import type { ToCustomer, ToFactory } from './customer.js';

export interface Enter {
  readonly type: 'enter';
  readonly customer: ActorRef<ToCustomer>;
}

export interface OpenRoom {
  readonly type: 'open';
  readonly places: number;
  readonly factory: ActorRef<ToFactory>;
}

interface Room {
  readonly self: ActorRef<Next>;
  readonly barber: ActorRef<Call>;
  factory: ActorRef<ToFactory> | undefined;
  places: number;
  readonly seated: ActorRef<ToCustomer>[];
  barberSleeps: boolean;
}

const WAIT: ToCustomer = { type: 'wait' };
const NEXT: Next = { type: 'next' };

export default defineActor<OpenRoom | Enter | Next, Room>({
  type: 'waiting-room',
  scope: 'key',
  state: (key, context) => ({
    self: context.self,
    barber: context.ref(barber, key),
    factory: undefined,
    places: 0,
    seated: [],
    barberSleeps: true,
  }),
  receive(messages, { state }) {
    for (const { body } of messages) {
      switch (body.type) {
        case 'open':
          state.places = body.places;
          state.factory = body.factory;
          break;
        case 'enter':
          enter(state, body.customer);
          break;
        case 'next':
          next(state);
      }
    }
  },
});

function enter(state: Room, customer: ActorRef<ToCustomer>): void {
  const { seated, factory } = state;
  if (seated.length === state.places) {
    if (factory !== undefined) void customer.tell({ type: 'full', factory });
    return;
  }
  seated.push(customer);
  void (state.barberSleeps ? state.self.tell(NEXT) : customer.tell(WAIT));
  state.barberSleeps = false;
}

function next(state: Room): void {
  const { barber, factory, self: room } = state;
  const customer = state.seated.shift();
  if (customer === undefined || factory === undefined) state.barberSleeps = true;
  else void barber.tell({ type: 'call', customer, factory, room });
}
