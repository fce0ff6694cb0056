/** Cuts the hair of one customer after the other, and calls for the next. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';
import type { ToCustomer, ToFactory } from './customer.js';

/** A customer, where it came from, and the room that it waited in. */
export interface Call {
  readonly type: 'call';
  readonly customer: ActorRef<ToCustomer>;
  readonly factory: ActorRef<ToFactory>;
  readonly room: ActorRef<Next>;
}

export interface Next {
  readonly type: 'next';
}

const START: ToCustomer = { type: 'start' };
const NEXT: Next = { type: 'next' };

export default defineActor<Call>({
  type: 'barber',
  scope: 'key',
  receive(messages) {
    for (const { body } of messages) {
      void body.customer.tell(START);
      void body.customer.tell({ type: 'done', factory: body.factory });
      void body.room.tell(NEXT);
    }
  },
});
