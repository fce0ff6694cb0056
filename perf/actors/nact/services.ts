/** The benchmarks of the suite in which one actor serves many that wait for it, on nact. */
import { type Ref, spawn } from 'nact';
import type { ParametersOf } from '../parameters.js';
import { inSystem, tell } from './system.js';

type ToManager =
  | { readonly kind: 'item'; readonly item: number; readonly from: Ref<'produce'> }
  | { readonly kind: 'available'; readonly from: Ref<ToConsumer> };
type ToConsumer = 'start' | 'exit' | number;

export const boundedBuffer = ({ producers, consumers, items, buffer }: ParametersOf<'bounded-buffer'>) =>
  inSystem((system, finish) => {
    const stored: number[] = [];
    const idleConsumers: Ref<ToConsumer>[] = [];
    // The suite's margin: as many as may be on their way to the buffer stay free.
    const full = Math.max(1, buffer - producers);
    const waitingProducers: Ref<'produce'>[] = [];
    let delivered = 0;
    const deliver = (consumer: Ref<ToConsumer>, item: number) => {
      delivered++;
      tell(consumer, item);
      if (delivered < producers * items) return;
      for (const idle of idleConsumers) tell(idle, 'exit');
    };
    const manager = spawn(
      system,
      (state: null, message: ToManager) => {
        if (message.kind === 'item') {
          const consumer = idleConsumers.shift();
          if (consumer === undefined) stored.push(message.item);
          else deliver(consumer, message.item);
          if (stored.length >= full) waitingProducers.push(message.from);
          else tell(message.from, 'produce');
          return state;
        }
        const item = stored.shift();
        if (item !== undefined) {
          deliver(message.from, item);
          const producer = waitingProducers.shift();
          if (producer !== undefined) tell(producer, 'produce');
        } else if (delivered === producers * items) tell(message.from, 'exit');
        else idleConsumers.push(message.from);
        return state;
      },
      'manager',
      { initialState: null },
    );
    const sink = spawn(
      system,
      (
        total: { reports: number; consumed: number; sum: number },
        part: { consumed: number; sum: number },
      ) => {
        total.reports++;
        total.consumed += part.consumed;
        total.sum += part.sum;
        if (total.reports === consumers) finish(total.consumed, total.sum);
        return total;
      },
      'sink',
      { initialState: { reports: 0, consumed: 0, sum: 0 } },
    );
    for (let at = 0; at < consumers; at++) {
      const self: Ref<ToConsumer> = spawn(
        system,
        (state: { consumed: number; sum: number }, message: ToConsumer) => {
          if (message === 'exit') {
            tell(sink, state);
            return state;
          }
          if (message !== 'start') {
            state.consumed++;
            state.sum += message;
          }
          tell(manager, { kind: 'available', from: self });
          return state;
        },
        `consumer-${at}`,
        { initialState: { consumed: 0, sum: 0 } },
      );
      tell(self, 'start');
    }
    for (let at = 0; at < producers; at++) {
      const self: Ref<'produce'> = spawn(
        system,
        (produced: number, _: 'produce') => {
          if (produced === items) return produced;
          tell(manager, { kind: 'item', item: produced, from: self });
          return produced + 1;
        },
        `producer-${at}`,
        { initialState: 0 },
      );
      tell(self, 'produce');
    }
  });

type ToArbitrator =
  | { readonly kind: 'hungry'; readonly seat: number; readonly from: Ref<ToPhilosopher> }
  | { readonly kind: 'done'; readonly seat: number }
  | { readonly kind: 'exit'; readonly meals: number };
type ToPhilosopher = 'start' | 'denied' | 'eat';

export const philosophers = (parameters: ParametersOf<'dining-philosophers'>) =>
  inSystem((system, finish) => {
    const seats = parameters.philosophers;
    const taken = new Array<boolean>(seats).fill(false);
    const total = { exits: 0, meals: 0 };
    const arbitrator = spawn(
      system,
      (state: typeof total, message: ToArbitrator) => {
        if (message.kind === 'exit') {
          state.exits++;
          state.meals += message.meals;
          if (state.exits === seats) finish(state.meals);
          return state;
        }
        const { seat } = message;
        const other = (seat + 1) % seats;
        if (message.kind === 'hungry' && (taken[seat] || taken[other])) {
          tell(message.from, 'denied');
          return state;
        }
        taken[seat] = message.kind === 'hungry';
        taken[other] = message.kind === 'hungry';
        if (message.kind === 'hungry') tell(message.from, 'eat');
        return state;
      },
      'arbitrator',
      { initialState: total },
    );
    for (let seat = 0; seat < seats; seat++) {
      const self: Ref<ToPhilosopher> = spawn(
        system,
        (meals: number, message: ToPhilosopher) => {
          const eaten = message === 'eat' ? meals + 1 : meals;
          if (message === 'eat') tell(arbitrator, { kind: 'done', seat });
          if (eaten < parameters.rounds) tell(arbitrator, { kind: 'hungry', seat, from: self });
          else tell(arbitrator, { kind: 'exit', meals: eaten });
          return eaten;
        },
        `philosopher-${seat}`,
        { initialState: 0 },
      );
      tell(self, 'start');
    }
  });

type ToCustomer = 'full' | 'wait' | 'start' | 'done';
type ToRoom = { readonly kind: 'enter'; readonly customer: Ref<ToCustomer> } | { readonly kind: 'next' };
type ToFactory =
  | { readonly kind: 'start' }
  | { readonly kind: 'returned'; readonly customer: Ref<ToCustomer> }
  | { readonly kind: 'leave' };

export const barber = ({ haircuts, places }: ParametersOf<'sleeping-barber'>) =>
  inSystem((system, finish) => {
    const customers: Ref<ToCustomer>[] = [];
    const returned: Ref<ToCustomer>[] = [];
    const factory = spawn(
      system,
      (state: { left: number; places: number }, message: ToFactory) => {
        if (message.kind === 'start') {
          for (const customer of customers) tell(room, { kind: 'enter', customer });
          return state;
        }
        if (message.kind === 'returned') returned.push(message.customer);
        else {
          state.left++;
          state.places++;
          if (state.left === haircuts) finish(state.left);
        }
        const customer = state.places > 0 ? returned.shift() : undefined;
        if (customer !== undefined) {
          state.places--;
          tell(room, { kind: 'enter', customer });
        }
        return state;
      },
      'factory',
      // Places: those that customers left and nobody was sent to again.
      { initialState: { left: 0, places: 0 } },
    ) as Ref<ToFactory>;
    const seated: Ref<ToCustomer>[] = [];
    const room = spawn(
      system,
      (state: { asleep: boolean }, message: ToRoom) => {
        if (message.kind === 'next') {
          const customer = seated.shift();
          if (customer === undefined) state.asleep = true;
          else tell(chair, customer);
          return state;
        }
        if (seated.length === places) tell(message.customer, 'full');
        else {
          seated.push(message.customer);
          if (state.asleep) tell(room, { kind: 'next' });
          else tell(message.customer, 'wait');
          state.asleep = false;
        }
        return state;
      },
      'room',
      { initialState: { asleep: true } },
    ) as Ref<ToRoom>;
    const chair = spawn(
      system,
      (state: null, customer: Ref<ToCustomer>) => {
        tell(customer, 'start');
        tell(customer, 'done');
        tell(room, { kind: 'next' });
        return state;
      },
      'barber',
      { initialState: null },
    ) as Ref<Ref<ToCustomer>>;
    for (let at = 0; at < haircuts; at++) {
      const self: Ref<ToCustomer> = spawn(
        system,
        (state: null, message: ToCustomer) => {
          if (message === 'full') tell(factory, { kind: 'returned', customer: self });
          else if (message === 'done') tell(factory, { kind: 'leave' });
          return state;
        },
        `customer-${at}`,
        { initialState: null },
      );
      customers.push(self);
    }
    tell(factory, { kind: 'start' });
  });
