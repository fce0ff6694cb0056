/** Has its hair cut; comes back to the factory when the room is full, and leaves it when the haircut is done. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';

export type ToCustomer =
  | { readonly type: 'wait' }
  | { readonly type: 'start' }
  | { readonly type: 'full'; readonly factory: ActorRef<ToFactory> }
  | { readonly type: 'done'; readonly factory: ActorRef<ToFactory> };

export type ToFactory =
  | { readonly type: 'returned'; readonly customer: ActorRef<ToCustomer> }
  | { readonly type: 'leave' };

const LEAVE: ToFactory = { type: 'leave' };

export default defineActor<ToCustomer>({
  type: 'customer',
  scope: 'key',
  receive(messages, context) {
    for (const { body } of messages) {
      if (body.type === 'done') void body.factory.tell(LEAVE);
      else if (body.type === 'full') void body.factory.tell({ type: 'returned', customer: context.self });
    }
  },
});
