import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import { hostIn, manualKernel, settle } from '../kernel/test-kernel.js';
import type { FilledLimits } from '../limits.js';
import { FIRST_THREAD, type LimitsThreadData, MOST } from '../testing/limits-thread.js';
import type { RateThreadData } from '../testing/rate-thread.js';
import { testSeed } from '../testing/seed.js';
import { until } from '../testing/until.js';
import { NodeShare } from './node-share.js';
import { SharedLimits, type ThreadLimits } from './shared-limits.js';

const unlimited = Number.POSITIVE_INFINITY;
const permits = (concurrencyMax: number): FilledLimits => ({
  concurrencyMax,
  ratePerSecond: unlimited,
  burst: unlimited,
});
const HOUR_MS = 3_600_000;

t.test('never more permits out than the share, which is lowered as they come back', async (t) => {
  const step = fc.record({
    thread: fc.nat(2),
    does: fc.constantFrom('take', 'take', 'wait', 'no longer', 'release', 'pass on', 'end', 'share'),
    permits: fc.nat(5),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(step, { maxLength: 80 }),
      async (max, steps) => {
        const shared = new SharedLimits(permits(max), 4);
        const share = new NodeShare(shared);
        const attach = (thread: number) => new SharedLimits(permits(max), 4, shared.buffer).attach(thread);
        const threads = [attach(0), attach(1), attach(2)];
        const held = [0, 0, 0];
        let target = 0;
        for (const { thread, does, permits } of steps) {
          const limits = threads[thread] as ThreadLimits;
          const has = held[thread] as number;
          const before = share.permits;
          if (does === 'take' && limits.take()) held[thread] = has + 1;
          else if (does === 'wait' && limits.takeOrWait()) held[thread] = has + 1;
          else if (does === 'no longer') limits.waitNoLonger();
          else if (does === 'pass on') limits.passOn();
          else if (does === 'release' && has > 0) {
            limits.release();
            held[thread] = has - 1;
            // The main thread looks at what was handed to it.
            await settle(1);
          } else if (does === 'end') {
            shared.giveBack(thread);
            threads[thread] = attach(thread);
            held[thread] = 0;
          } else if (does === 'share') {
            target = Math.min(permits, max);
            share.setPermits(permits);
          }
          const out = held.reduce((sum, count) => sum + count, 0);
          if (out > share.permits) throw new Error(`${out} permits are out of a share of ${share.permits}`);
          if (share.permits < target) throw new Error(`a share of ${target} is ${share.permits}`);
          if (does !== 'share' && share.permits > before) throw new Error('a share grew by itself');
        }
        for (const thread of [0, 1, 2]) shared.giveBack(thread);
        for (const limits of [attach(0), attach(1), attach(2)]) limits.passOn();
        share.setPermits(target);
        await settle(1);
        if (share.permits !== target) throw new Error(`a share of ${target} is still ${share.permits}`);
        if (share.usePermits().used !== 0) throw new Error('some are in use by nobody');
      },
    ),
    { seed: testSeed(t), numRuns: 300 },
  );
  t.pass();
});

t.test('threads keep to a share that changes, and are woken when it grows', async (t) => {
  const max = 6;
  // Most numbers of threads are nobody`s.
  const shared = new SharedLimits(permits(max), 9);
  const share = new NodeShare(shared);
  share.prolong(HOUR_MS);
  const gauge = new Int32Array(new SharedArrayBuffer(4 * 4));
  const workers = [0, 1].map((thread) => {
    const workerData: LimitsThreadData = {
      limits: permits(max),
      threads: 9,
      thread,
      buffer: shared.buffer,
      gauge,
      messages: 100_000,
      crashAt: 0,
    };
    return new Worker(new URL('../testing/limits-thread.js', import.meta.url), { workerData });
  });
  const done = () => (gauge[FIRST_THREAD] as number) + (gauge[FIRST_THREAD + 1] as number);
  await until('both wait', () => {
    const { lacked, used } = share.usePermits();
    return lacked && used === 0;
  });
  t.equal(done(), 0, 'nothing is this node`s at first');
  let lowered = 0;
  share.onLowered = () => lowered++;
  for (const units of [3, 1, 6, 2, 0, 5, 0]) {
    const before = lowered;
    const wasMore = share.permits > units;
    share.setPermits(units);
    await until('those above it have come back', () => share.permits === units);
    if (wasMore) t.equal(lowered, before + 1);
    Atomics.store(gauge, MOST, 0);
    const handled = done();
    if (units === 0) {
      t.equal(share.usePermits().used, 0);
      continue;
    }
    await until('all of it is used', () => gauge[MOST] === units && done() > handled + 50);
    t.equal(gauge[MOST], units, 'and no more');
  }
  const end = done();
  await settle(20);
  t.equal(done(), end);
  for (const worker of workers) {
    worker.postMessage('end');
    await once(worker, 'exit');
  }
});

t.test(
  'a rate that is shared: never above it, whatever moves, and no token of what moves is lost',
  async (t) => {
    const step = fc.record({
      node: fc.nat(1),
      does: fc.constantFrom('take', 'take', 'book', 'move', 'pass'),
      count: fc.integer({ min: 1, max: 4 }),
      ms: fc.nat(300),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(step, { maxLength: 80 }),
        (ratePerSecond, burst, steps) => {
          const limits = { concurrencyMax: unlimited, ratePerSecond, burst };
          let now = 1_800_000_000_000;
          const nodes = [0, 1].map(() => {
            const shared = new SharedLimits(limits, 3);
            const share = new NodeShare(shared);
            return { share, rate: shared.attach(0).rate, due: undefined as number | undefined };
          });
          nodes[0]?.share.setUnits(burst, burst, now);
          const times: number[] = [];
          const useDue = () => {
            for (const node of nodes) {
              if (node.due === undefined || node.due > now) continue;
              if (node.rate?.useBooked(now)) times.push(now);
              node.due = undefined;
            }
          };
          for (const { node: at, does, count, ms } of steps) {
            const node = nodes[at] as (typeof nodes)[0];
            const other = nodes[1 - at] as (typeof nodes)[0];
            if (does === 'take') {
              const taken = node.rate?.take(count, now) ?? 0;
              for (let n = 0; n < taken; n++) times.push(now);
            } else if (does === 'book') {
              if (node.due === undefined || !node.rate?.isBooked) node.due = node.rate?.book(now);
            } else if (does === 'pass') {
              // Who has booked comes in time.
              const end = now + ms;
              for (const due of nodes.flatMap(({ due }) => due ?? []).sort((a, b) => a - b)) {
                now = Math.min(end, Math.max(now, due));
                useDue();
              }
              now = end;
              useDue();
            } else {
              const units = Math.min(count, node.share.units);
              const tokens = node.share.setUnits(node.share.units - units, 0, now);
              const all = nodes.reduce((sum, { share }) => sum + share.units, 0);
              if (all + units !== burst) throw new Error('units went astray');
              other.share.setUnits(other.share.units + units, tokens, now);
            }
          }
          for (const [first, from] of times.entries()) {
            for (const [last, to] of times.entries()) {
              const most = burst + ((to - from) * ratePerSecond) / 1_000 + 1e-3;
              if (last >= first && last - first + 1 > most)
                throw new Error(`${last - first + 1} in ${to - from} ms`);
            }
          }
          // What there is, to the end, is what did not get out, with nothing lost but what was full.
          const rest = nodes.reduce((sum, { share }) => sum + share.setUnits(0, 0, now), 0);
          if (rest > burst + 1e-6) throw new Error(`${rest} tokens`);
          // Each change may round up by a nanosecond. A move is two of them.
          const changes = 2 * steps.filter(({ does }) => does === 'move').length + 2;
          const lost = (changes * ratePerSecond) / 1e9 + 1e-6;
          if (times.length === 0 && burst - rest > lost) throw new Error(`only ${rest} tokens are left`);
          return true;
        },
      ),
      { seed: testSeed(t), numRuns: 500 },
    );
    t.pass();
  },
);

t.test('a thread pays by units that are no more, into a word that is the same again', async (t) => {
  const limits = { concurrencyMax: unlimited, ratePerSecond: 1, burst: 4 };
  const shared = new SharedLimits(limits, 2);
  const share = new NodeShare(shared);
  const { rate } = shared.attach(0);
  const { fullAt } = shared.words;
  if (rate === undefined) throw new Error('there is one');
  const now = 1_800_000_000_000;
  const later = now + 1;
  const fullness = () => 1 - Number(Atomics.load(fullAt, 0) - BigInt(later) * 1_000_000n) / 4e9;
  share.setUnits(4, 2, now);
  const word = Atomics.load(fullAt, 0);
  const total = 3 * fullness();
  const exchange = Atomics.compareExchange;
  t.teardown(() => {
    Atomics.compareExchange = exchange;
  });
  // It stands still between what it has read and its exchange, and another node brings as many tokens as make the word what it was.
  Atomics.compareExchange = ((...args: Parameters<typeof exchange>) => {
    Atomics.compareExchange = exchange;
    share.setUnits(2, 0, now);
    share.setUnits(3, total - 2 * fullness(), later);
    t.equal(Atomics.load(fullAt, 0), word, 'as it was');
    return exchange(...args);
  }) as typeof exchange;
  const used = rate.take(1, later);
  t.equal(Atomics.compareExchange, exchange, 'it stood still');
  const rest = share.setUnits(0, 0, later);
  t.comment(`${used} used, ${rest} left`);
  t.ok(used + rest <= total + 1e-6, `of ${total}`);
});

for (const change of ['lowered', 'raised']) {
  t.test(`a booking that is made while units are ${change} is void, or has its token`, async (t) => {
    const limits = { concurrencyMax: unlimited, ratePerSecond: 1, burst: 4 };
    const shared = new SharedLimits(limits, 3);
    const share = new NodeShare(shared);
    const { rate } = shared.attach(0);
    if (rate === undefined) throw new Error('there is one');
    const now = 1_800_000_000_000;
    share.setUnits(2, 0, now);
    const exchange = Atomics.exchange;
    t.teardown(() => {
      Atomics.exchange = exchange;
    });
    // When all bookings were looked at.
    let looked = 0;
    Atomics.exchange = ((...args: Parameters<typeof exchange>) => {
      const was = exchange(...args);
      if (++looked === shared.words.booked.length) {
        Atomics.exchange = exchange;
        t.ok(rate.book(now) !== undefined);
        t.ok(rate.isBooked);
      }
      return was;
    }) as typeof exchange;
    share.setUnits(change === 'lowered' ? 1 : 4, 0, now);
    t.equal(Atomics.exchange, exchange);
    // Nothing is there, nor comes in no time.
    const rest = share.setUnits(0, 0, now);
    t.equal(rest, 0);
    t.notOk(rate.isBooked);
    share.setUnits(4, 0, now);
    t.equal(rate.take(4, now + 1_000), 1);
  });
}

for (const books of [false, true]) {
  t.test(
    `units that move while threads ${books ? 'take and book' : 'take'}: no token is used twice`,
    async (t) => {
      const burst = 1_000_000;
      // So slow that none comes back.
      const limits = { concurrencyMax: unlimited, ratePerSecond: 0.001, burst };
      const used = new Int32Array(new SharedArrayBuffer(8));
      const nodes = [0, 1].map(() => {
        const shared = new SharedLimits(limits, 3);
        return { shared, share: new NodeShare(shared) };
      });
      const workers = nodes.flatMap(({ shared: { buffer } }) =>
        [0, 1].map((thread) => {
          const workerData: RateThreadData = { limits, takers: 3, thread, buffer, books, used };
          return new Worker(new URL('../testing/rate-thread.js', import.meta.url), { workerData });
        }),
      );
      await Promise.all(workers.map((worker) => once(worker, 'online')));
      const [one, other] = nodes;
      if (one === undefined || other === undefined) throw new Error('there are two');
      const seed = testSeed(t);
      const random = fc.sample(fc.nat(burst), { seed, numRuns: 1_000 });
      one.share.setUnits(burst, burst, Date.now());
      let moves = 0;
      let seen = 0;
      const end = Date.now() + 2_000;
      while ((Atomics.load(used, 0) < burst / 4 || moves < 10) && Date.now() < end) {
        const [from, to] = moves % 2 === 0 ? [one, other] : [other, one];
        const units = Math.min(random[moves % random.length] ?? 0, from.share.units);
        const tokens = from.share.setUnits(from.share.units - units, 0, Date.now());
        to.share.setUnits(to.share.units + units, tokens, Date.now());
        moves++;
        if (moves % 10 !== 0) continue;
        // What is being taken at the moment of a move may be lost: all of it would be, if there was nothing but moves.
        while (Atomics.load(used, 0) === seen && Date.now() < end);
        seen = Atomics.load(used, 0);
      }
      Atomics.store(used, 1, 1);
      await Promise.all(workers.map((worker) => once(worker, 'exit')));
      const rest = nodes.reduce((sum, { share }) => sum + share.setUnits(0, 0, Date.now()), 0);
      t.comment(`${used[0]} of ${burst} used, ${rest} left, ${moves} moves`);
      t.ok((used[0] as number) + rest <= burst + 0.1, 'none twice');
      t.ok((used[0] as number) > 1_000);
      t.ok(moves >= 10);
    },
  );
}

t.test('a token that comes slowly comes in time, however often its unit moves', async (t) => {
  const limits = { concurrencyMax: unlimited, ratePerSecond: 1 / 3_600, burst: 1 };
  let now = 1_800_000_000_000;
  const nodes = [0, 1].map(() => {
    const shared = new SharedLimits(limits, 3);
    return { share: new NodeShare(shared), rate: shared.attach(0).rate };
  });
  const [one, two] = nodes;
  if (one === undefined || two === undefined) throw new Error('there are two');
  one.share.setUnits(1, 1, now);
  t.equal(one.rate?.take(2, now), 1);
  let holder = one;
  const began = now;
  while (holder.rate?.take(1, now) === 0 && now < began + 2 * HOUR_MS) {
    t.ok(holder.rate.book(now) !== undefined, 'a thread waits');
    t.ok(holder.rate.isBooked);
    now += 60_000;
    if (now >= began + HOUR_MS) break;
    const tokens = holder.share.setUnits(0, 0, now);
    t.notOk(holder.rate.isBooked, 'it waits for nothing');
    t.equal(holder.rate.book(now), undefined);
    holder = holder === one ? two : one;
    holder.share.setUnits(1, tokens, now);
  }
  now += 100;
  t.equal(holder.rate?.useBooked(now), true);
  t.equal(holder.rate?.take(1, now), 0);
});

t.test('a share whose lease is over counts no more: nothing begins, until it is prolonged', async (t) => {
  for (const limits of [permits(2), { concurrencyMax: unlimited, ratePerSecond: 1_000, burst: 10 }]) {
    const shared = new SharedLimits(limits, 2);
    const share = new NodeShare(shared);
    const { kernel, clock } = manualKernel();
    let begun = 0;
    const definition = {
      type: 'limited',
      scope: 'key' as const,
      limits: { concurrencyMax: 1 },
      receive() {
        begun++;
      },
    };
    hostIn(kernel, definition, shared.attach(0));
    share.setPermits(2);
    share.setUnits(10, 10, clock.now());
    kernel.ref('limited', 'a').tell(0);
    await settle();
    t.equal(begun, 0, 'no lease yet');
    share.prolong(HOUR_MS);
    clock.advance(50);
    await settle();
    t.equal(begun, 1);
    kernel.ref('limited', 'a').tell(0);
    await settle();
    t.equal(begun, 2);
    // Nobody says so: a main thread that stands still does not.
    share.prolong(-1);
    kernel.ref('limited', 'a').tell(0);
    await settle();
    clock.advance(1_000);
    await settle();
    t.equal(begun, 2);
    t.equal(share.usePermits().lacked, true, 'it is known that somebody waits');
    share.prolong(HOUR_MS);
    clock.advance(50);
    await settle();
    t.equal(begun, 3);
    t.equal(clock.pending, 0, 'no timer when nothing waits');
  }
});
