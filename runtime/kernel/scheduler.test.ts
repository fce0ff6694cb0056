import { setImmediate as macrotask } from 'node:timers/promises';
import t from 'tap';
import { type Runnable, Scheduler } from './scheduler.js';

/** Schedules itself again each time it runs, until told to stop. */
class Endless implements Runnable {
  runs = 0;
  stopped = false;
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  run(): void {
    this.runs++;
    if (!this.stopped) this.#scheduler.schedule(this);
  }
}

const noFailure = (error: unknown) => {
  throw error;
};

t.test('each runs once before one runs again', async (t) => {
  const scheduler = new Scheduler(noFailure);
  const flood = [new Endless(scheduler), new Endless(scheduler), new Endless(scheduler)];
  for (const one of flood) scheduler.schedule(one);
  await macrotask();
  const before = flood.map(({ runs }) => runs);
  const runs = await new Promise<number[]>((resolve) => {
    scheduler.schedule({ run: () => resolve(flood.map(({ runs }) => runs)) });
  });
  for (const [at, after] of runs.entries()) {
    t.ok(after - (before[at] as number) <= 1, 'it waited for one round');
  }
  for (const one of flood) one.stopped = true;
  await macrotask();
  t.equal(scheduler.length, 0);
});

t.test('what is scheduled runs in the same turn of the event loop, by microtask', async (t) => {
  const scheduler = new Scheduler(noFailure);
  let ran = false;
  scheduler.schedule({
    run() {
      ran = true;
    },
  });
  t.equal(ran, false, 'not at once: more may come');
  await Promise.resolve();
  await Promise.resolve();
  t.equal(ran, true);
});

t.test('an endless run gives the event loop its turn', async (t) => {
  const scheduler = new Scheduler(noFailure);
  const endless = new Endless(scheduler);
  scheduler.schedule(endless);
  for (let turns = 0; turns < 20; turns++) {
    const began = performance.now();
    await macrotask();
    // The machine may be slow; a turn without a bound would never end.
    t.ok(performance.now() - began < 1_000);
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
  endless.stopped = true;
  t.ok(endless.runs > 20);
  t.ok(scheduler.turn > 20, 'one turn was not all');
});

t.test('an endless ping-pong by promises gives the event loop its turn', async (t) => {
  const scheduler = new Scheduler(noFailure);
  let over = false;
  let rounds = 0;
  const pong = async () => {
    while (!over) {
      rounds++;
      await new Promise<void>((resolve) => scheduler.schedule({ run: resolve }));
    }
  };
  const done = pong();
  for (let turns = 0; turns < 20; turns++) await macrotask();
  await new Promise((resolve) => setTimeout(resolve, 1));
  over = true;
  await done;
  t.ok(rounds > 20);
});

t.test('an error stops nothing', async (t) => {
  const errors: unknown[] = [];
  const scheduler = new Scheduler((error) => errors.push(error));
  const poison = new Error('poison');
  const ran: number[] = [];
  for (let at = 0; at < 5; at++) {
    scheduler.schedule({
      run() {
        if (at === 2) throw poison;
        ran.push(at);
      },
    });
  }
  await macrotask();
  t.strictSame(ran, [0, 1, 3, 4]);
  t.strictSame(errors, [poison]);
  scheduler.schedule({ run: () => void ran.push(9) });
  await macrotask();
  t.equal(ran.at(-1), 9);
});

t.test('flush runs at once what is queued, and never inside a run', async (t) => {
  const scheduler = new Scheduler(noFailure);
  const order: string[] = [];
  scheduler.schedule({
    run() {
      order.push('a begins');
      scheduler.schedule({ run: () => void order.push('b') });
      scheduler.flush();
      order.push('a ends');
    },
  });
  scheduler.flush();
  t.strictSame(order, ['a begins', 'a ends', 'b']);
  await macrotask();
  t.equal(order.length, 3);
});

t.test('choose decides the order', async (t) => {
  const scheduler = new Scheduler(noFailure, (length) => length - 1);
  const order: number[] = [];
  for (let at = 0; at < 4; at++) scheduler.schedule({ run: () => void order.push(at) });
  await macrotask();
  t.strictSame([...order].sort(), [0, 1, 2, 3]);
  t.equal(order[0], 3);
});
