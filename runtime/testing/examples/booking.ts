/**
 * A saga with an ordering bug, planted: `hastyBooking` takes it that the seat is there before the payment, because in a plain order
 * of events it always is. `booking` waits for both. The test shows that seeds tell them apart.
 */
import { type ActorContext, type ActorDefinition, defineActor } from '../../actor.js';
import type { ActorRef } from '../../actor-ref.js';
import type { Asks, Message } from '../../message.js';

export type BookingBody =
  | ({ readonly type: 'outcome' } & Asks<string | null>)
  | { readonly type: 'book'; readonly seat: string }
  | { readonly type: 'reserved'; readonly seat: string }
  | { readonly type: 'paid' };

interface Booking {
  seat: string | undefined;
  paid: boolean;
  outcome: string | null;
}

type Reserve = { readonly type: 'reserve'; readonly seat: string; readonly by: ActorRef<BookingBody> };
type Charge = { readonly type: 'charge'; readonly by: ActorRef<BookingBody> };

/** Replies in one step. */
export const seats = defineActor<Reserve>({
  type: 'seats',
  scope: 'key',
  receive(messages) {
    for (const { body } of messages) void body.by.tell({ type: 'reserved', seat: body.seat });
  },
});

/** Asks the bank first. */
export const cashier = defineActor<Charge>({
  type: 'cashier',
  scope: 'key',
  async receive(messages, context) {
    for (const { body } of messages) {
      if (await context.ref(bank, 'main').ask({ type: 'debit' })) void body.by.tell({ type: 'paid' });
    }
  },
});

export const bank = defineActor<{ readonly type: 'debit' } & Asks<boolean>>({
  type: 'bank',
  scope: 'key',
  receive(messages) {
    for (const message of messages) message.reply(true);
  },
});

const stateOf = (): Booking => ({ seat: undefined, paid: false, outcome: null });

function handle(
  message: Message<BookingBody>,
  context: BookingContext,
  conclude: (state: Booking) => string | null,
): void {
  const { state, self, key } = context;
  switch (message.type) {
    case 'book':
      void context.ref(seats, 'hall').tell({ type: 'reserve', seat: message.body.seat, by: self });
      void context.ref(cashier, key).tell({ type: 'charge', by: self });
      break;
    case 'reserved':
      state.seat = message.body.seat;
      break;
    case 'paid':
      state.paid = true;
      break;
    case 'outcome':
      message.reply(state.outcome);
      break;
  }
  state.outcome ??= conclude(state);
}

type BookingContext = ActorContext<Booking, unknown, BookingBody>;

export const hastyBooking: ActorDefinition<BookingBody, Booking> = defineActor<BookingBody, Booking>({
  type: 'booking',
  scope: 'key',
  state: stateOf,
  receive(messages, context) {
    for (const message of messages) {
      // The bug: by the time of the payment the seat is taken to be there.
      handle(message, context, ({ paid, seat }) => (paid ? `seat ${seat}` : null));
    }
  },
});

export const booking: ActorDefinition<BookingBody, Booking> = defineActor<BookingBody, Booking>({
  type: 'booking',
  scope: 'key',
  state: stateOf,
  receive(messages, context) {
    for (const message of messages) {
      handle(message, context, ({ paid, seat }) => (paid && seat !== undefined ? `seat ${seat}` : null));
    }
  },
});
