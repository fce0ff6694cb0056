/** The concurrency benchmarks of the suite on nact, but for those of `services.ts`. */
import { type Ref, spawn } from 'nact';
import { isWrite, type ParametersOf } from '../parameters.js';
import { PseudoRandom, seedOf } from '../pseudo-random.js';
import { inSystem, tell } from './system.js';

type ToDictionary =
  | { readonly kind: 'write'; readonly key: number; readonly value: number; readonly from: Ref<ToWorker> }
  | { readonly kind: 'read'; readonly key: number; readonly from: Ref<ToWorker> }
  | { readonly kind: 'end' };
type ToWorker = number | undefined | 'start';

export const dictionary = ({ workers, messages, writePercent }: ParametersOf<'concurrent-dictionary'>) =>
  inSystem((system, finish) => {
    interface Store {
      readonly entries: Map<number, number>;
      requests: number;
      writes: number;
      ended: number;
    }
    const receive = (store: Store, message: ToDictionary) => {
      if (message.kind === 'end') {
        store.ended++;
        if (store.ended === workers) finish(store.requests, store.writes);
        return store;
      }
      store.requests++;
      if (message.kind === 'write') {
        store.writes++;
        store.entries.set(message.key, message.value);
        tell(message.from, message.value);
      } else tell(message.from, store.entries.get(message.key));
      return store;
    };
    const initialState: Store = { entries: new Map(), requests: 0, writes: 0, ended: 0 };
    const store = spawn(system, receive, 'dictionary', { initialState });
    for (let at = 0; at < workers; at++) {
      const random = new PseudoRandom(seedOf(at));
      const self: Ref<ToWorker> = spawn(
        system,
        (answers: number, message: ToWorker) => {
          const answered = message === 'start' ? answers : answers + 1;
          if (answered === messages) tell(store, { kind: 'end' });
          else if (isWrite(random.next(), writePercent)) {
            const key = random.next();
            tell(store, { kind: 'write', key, value: key, from: self });
          } else tell(store, { kind: 'read', key: random.next(), from: self });
          return answered;
        },
        `worker-${at}`,
        { initialState: 0 },
      );
      tell(self, 'start');
    }
  });

type ToAccount =
  | { readonly kind: 'order'; readonly amount: number; readonly to: Ref<ToAccount> }
  | { readonly kind: 'transfer'; readonly amount: number; readonly from: Ref<ToAccount> }
  | { readonly kind: 'transferred' }
  | { readonly kind: 'report' };
type ToTeller = 'start' | 'completed' | { readonly balance: number };

export const banking = ({ accounts, transactions, initialBalance, givingOfTen }: ParametersOf<'banking'>) =>
  inSystem((system, finish) => {
    interface Account {
      balance: number;
      waiting: boolean;
      /** Orders that came while a transfer was on its way. */
      readonly stash: ToAccount[];
    }
    const all: Ref<ToAccount>[] = [];
    const giving = Math.floor((accounts * givingOfTen) / 10);
    const random = new PseudoRandom(seedOf(0));
    const progress = { completed: 0, reports: 0, sum: 0 };
    const teller = spawn(
      system,
      (state: typeof progress, message: ToTeller) => {
        if (message === 'start') {
          for (let sent = 0; sent < transactions; sent++) {
            const from = all[random.next() % giving];
            const to = all[giving + (random.next() % (accounts - giving))];
            const amount = random.next() % 1_000;
            if (from !== undefined && to !== undefined) tell(from, { kind: 'order', amount, to });
          }
        } else if (message === 'completed') {
          state.completed++;
          if (state.completed === transactions) for (const account of all) tell(account, { kind: 'report' });
        } else {
          state.reports++;
          state.sum += message.balance;
          if (state.reports === accounts) finish(state.completed, state.sum);
        }
        return state;
      },
      'teller',
      { initialState: progress },
    );
    for (let at = 0; at < accounts; at++) {
      const give = (state: Account, order: ToAccount & { readonly kind: 'order' }) => {
        state.balance -= order.amount;
        state.waiting = true;
        tell(order.to, { kind: 'transfer', amount: order.amount, from: self });
      };
      const receive = (state: Account, message: ToAccount) => {
        switch (message.kind) {
          case 'order':
            if (state.waiting) state.stash.push(message);
            else give(state, message);
            break;
          case 'transfer':
            state.balance += message.amount;
            tell(message.from, { kind: 'transferred' });
            break;
          case 'transferred': {
            state.waiting = false;
            tell(teller, 'completed');
            const next = state.stash.shift();
            if (next?.kind === 'order') give(state, next);
            break;
          }
          case 'report':
            tell(teller, { balance: state.balance });
        }
        return state;
      };
      const initialState: Account = { balance: initialBalance, waiting: false, stash: [] };
      const self: Ref<ToAccount> = spawn(system, receive, `account-${at}`, { initialState });
      all.push(self);
    }
    tell(teller, 'start');
  });

export const logisticMap = ({ terms, series, startRate, increment }: ParametersOf<'logistic-map'>) =>
  inSystem((system, finish) => {
    interface Ask {
      readonly term: number;
      readonly from: Ref<ToSeries>;
    }
    type ToSeries = 'next' | 'last' | { readonly result: number };
    interface Series {
      term: number;
      waiting: boolean;
      /** Orders that came while a term was on its way. */
      ordered: number;
      closing: boolean;
    }
    const last: number[] = [];
    let reports = 0;
    const master = spawn(
      system,
      (state: null, { at, term }: { readonly at: number; readonly term: number }) => {
        last[at] = term;
        reports++;
        if (reports === series) finish(last.reduce((sum, value) => sum + value, 0));
        return state;
      },
      'master',
      { initialState: null },
    );
    const workers = Array.from({ length: series }, (_, at) => {
      const rate = startRate + at * increment;
      const computer = spawn(
        system,
        (state: null, { term, from }: Ask) => {
          tell(from, { result: rate * term * (1 - term) });
          return state;
        },
        `computer-${at}`,
        { initialState: null },
      );
      const receive = (state: Series, message: ToSeries) => {
        if (message === 'next') state.ordered++;
        else if (message === 'last') state.closing = true;
        else {
          state.term = message.result;
          state.waiting = false;
        }
        if (state.waiting) return state;
        if (state.ordered > 0) {
          state.ordered--;
          state.waiting = true;
          tell(computer, { term: state.term, from: self });
        } else if (state.closing) tell(master, { at, term: state.term });
        return state;
      };
      const initialState: Series = { term: at * increment, waiting: false, ordered: 0, closing: false };
      const self: Ref<ToSeries> = spawn(system, receive, `series-${at}`, { initialState });
      return self;
    });
    for (let term = 0; term < terms; term++) for (const worker of workers) tell(worker, 'next');
    for (const worker of workers) tell(worker, 'last');
  });
