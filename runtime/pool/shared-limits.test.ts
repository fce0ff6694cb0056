import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import type { FilledLimits } from '../limits.js';
import { FIRST_THREAD, type LimitsThreadData, MOST, UNDER_WAY } from '../testing/limits-thread.js';
import { testSeed } from '../testing/seed.js';
import { until } from '../testing/until.js';
import { SharedLimits, type ThreadLimits } from './shared-limits.js';

const unlimited = Number.POSITIVE_INFINITY;
const permits = (concurrencyMax: number): FilledLimits => ({
  concurrencyMax,
  ratePerSecond: unlimited,
  burst: unlimited,
});

t.test(
  'never more permits than there are, none lost, whoever takes, waits, gives back or ends',
  async (t) => {
    const step = fc.record({
      thread: fc.nat(2),
      does: fc.constantFrom('take', 'wait', 'no longer', 'release', 'pass on', 'end'),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 80 }), (max, steps) => {
        const shared = new SharedLimits(permits(max), 3);
        const attach = (thread: number) => new SharedLimits(permits(max), 3, shared.buffer).attach(thread);
        const threads = [attach(0), attach(1), attach(2)];
        const held = [0, 0, 0];
        for (const { thread, does } of steps) {
          const limits = threads[thread] as ThreadLimits;
          if (does === 'take' && limits.take()) held[thread] = (held[thread] as number) + 1;
          else if (does === 'wait' && limits.takeOrWait()) held[thread] = (held[thread] as number) + 1;
          else if (does === 'no longer') limits.waitNoLonger();
          else if (does === 'pass on') limits.passOn();
          else if (does === 'release' && (held[thread] as number) > 0) {
            limits.release();
            held[thread] = (held[thread] as number) - 1;
          } else if (does === 'end') {
            shared.giveBack(thread);
            threads[thread] = attach(thread);
            held[thread] = 0;
          }
          const out = held.reduce((sum, count) => sum + count, 0);
          if (out > max) throw new Error(`${out} of ${max} permits are out`);
          if (shared.inUse < out) throw new Error('a permit is out and free');
        }
        for (const thread of [0, 1, 2]) shared.giveBack(thread);
        for (const limits of [attach(0), attach(1), attach(2)]) limits.passOn();
        return shared.inUse === 0;
      }),
      { seed: testSeed(t), numRuns: 500 },
    );
    t.pass();
  },
);

t.test('threads that wait take turns', async (t) => {
  const shared = new SharedLimits(permits(1), 3);
  const threads = [0, 1, 2].map((thread) => shared.attach(thread));
  const order: number[] = [];
  t.equal(threads[0]?.take(), true);
  let holder = 0;
  for (let round = 0; round < 9; round++) {
    for (const [at, limits] of threads.entries()) if (at !== holder) t.equal(limits.takeOrWait(), false);
    threads[holder]?.release();
    // The one that gave it back is the last to get it again.
    t.equal(threads[holder]?.take(), false);
    holder = threads.findIndex((limits) => limits.take());
    order.push(holder);
  }
  t.strictSame(order, [1, 2, 0, 1, 2, 0, 1, 2, 0]);
  // One that ends before it took what it was handed.
  t.equal(threads[1]?.takeOrWait(), false);
  threads[0]?.release();
  t.equal(shared.inUse, 1);
  shared.giveBack(1);
  t.equal(shared.inUse, 0);
});

t.test('a rate: never more than burst and what came back since, and no token is lost', async (t) => {
  const step = fc.record({ thread: fc.nat(2), wanted: fc.integer({ min: 1, max: 9 }), ms: fc.nat(400) });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(step, { maxLength: 60 }),
      (ratePerSecond, burst, steps) => {
        const limits = { concurrencyMax: unlimited, ratePerSecond, burst };
        const shared = new SharedLimits(limits, 3);
        const rates = [0, 1, 2].map((thread) => shared.attach(thread).rate);
        let now = 1_800_000_000_000;
        /** The bucket of the book. */
        let tokens = burst;
        for (const { thread, wanted, ms } of steps) {
          now += ms;
          tokens = Math.min(burst, tokens + (ms * ratePerSecond) / 1_000);
          const taken = rates[thread]?.take(wanted, now) ?? 0;
          // A step is a whole number of nanoseconds.
          if (taken > tokens + 1e-4) throw new Error(`${taken} of ${tokens}`);
          if (taken < Math.min(wanted, Math.floor(tokens - 1e-4)))
            throw new Error(`only ${taken} of ${tokens}`);
          tokens -= taken;
        }
        return true;
      },
    ),
    { seed: testSeed(t), numRuns: 500 },
  );
  t.pass();
});

t.test(
  'bookings are served in their order, and a clock that is set back costs a full bucket at most',
  async (t) => {
    const { rate } = new SharedLimits({ concurrencyMax: unlimited, ratePerSecond: 10, burst: 1 }, 2).attach(
      0,
    );
    const now = 1_800_000_000_000;
    t.equal(rate?.take(5, now), 1);
    t.equal(rate?.book(now), now + 100);
    t.equal(rate?.book(now), now + 200);
    t.equal(rate?.take(1, now + 250), 0, 'what is booked is not to be had');
    t.equal(rate?.take(1, now + 300), 1);
    const hour = 3_600_000;
    t.equal(rate?.take(1, now - hour), 0);
    t.equal(rate?.take(1, now - hour + 100), 1);
  },
);

t.test('a booking costs its token, whatever others forget, and when the clock is set back', async (t) => {
  const limits = { concurrencyMax: unlimited, ratePerSecond: 10, burst: 1 };
  const attached = () => {
    const shared = new SharedLimits(limits, 3);
    const [one, other] = [shared.attach(0).rate, shared.attach(1).rate];
    if (one === undefined || other === undefined) throw new Error('there are two');
    return [one, other] as const;
  };
  const now = 1_800_000_000_000;
  {
    const [one, other] = attached();
    t.equal(one.take(1, now), 1);
    t.equal(other.book(now), now + 100);
    for (const at of [200, 300]) {
      t.equal(one.book(now), now + at);
      one.forgetBooking();
    }
    t.equal(one.book(now), undefined, 'no further ahead than threads can be');
    t.notOk(one.isBooked);
    t.equal(other.useBooked(now + 100), true);
    t.equal(one.book(now + 100), now + 400, 'what was forgotten is lost, and no more');
  }
  {
    const [one, other] = attached();
    const earlier = now - 3_600_000;
    t.equal(one.take(1, now), 1);
    t.equal(other.book(now), now + 100);
    t.equal(one.take(1, earlier), 0);
    t.equal(one.take(1, earlier + 100), 0, 'that is the other one`s');
    t.equal(other.useBooked(earlier + 100), true);
    t.equal(one.take(1, earlier + 200), 1);
  }
});

t.test('two threads share a limit, take turns, and one that ends in a call costs nothing', async (t) => {
  const max = 3;
  const limits = permits(max);
  const shared = new SharedLimits(limits, 2);
  const gauge = new Int32Array(new SharedArrayBuffer(4 * 4));
  const messages = 300;
  const start = (thread: number, crashAt: number) => {
    const workerData: LimitsThreadData = {
      limits,
      threads: 2,
      thread,
      buffer: shared.buffer,
      gauge,
      messages,
      crashAt,
    };
    return new Worker(new URL('../testing/limits-thread.js', import.meta.url), { workerData });
  };
  const first = start(0, 0);
  const second = start(1, 0);
  await Promise.all([once(first, 'message'), once(second, 'message')]);
  t.equal(gauge[MOST], max, 'all of them were used, never more');
  t.equal(gauge[FIRST_THREAD], messages);
  t.equal(gauge[FIRST_THREAD + 1], messages);
  await until('all are given back', () => shared.inUse === 0);
  second.postMessage('end');
  await once(second, 'exit');
  shared.giveBack(1);

  // Two calls of the next one hold a permit when it ends.
  const third = start(1, 2);
  const before = gauge[UNDER_WAY] as number;
  const [code] = await once(third, 'exit');
  t.equal(code, 1);
  t.ok(shared.inUse >= 2, 'they are held by nobody who lives');
  shared.giveBack(1);
  t.equal(shared.inUse, 0);
  Atomics.store(gauge, UNDER_WAY, before);
  Atomics.store(gauge, MOST, 0);
  const fourth = start(1, 0);
  await once(fourth, 'message');
  t.equal(gauge[MOST], max, 'all permits are there again');
  for (const worker of [first, fourth]) {
    worker.postMessage('end');
    await once(worker, 'exit');
  }
});
