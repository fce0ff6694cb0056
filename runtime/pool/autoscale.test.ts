import fc from 'fast-check';
import t from 'tap';
import { type AutoscaleState, autoscale, DEFAULT_AUTOSCALE } from './autoscale.js';

/** Feeds a sample a second and obeys. Returns the number of threads after each. */
function run(
  seconds: number,
  threads: number,
  delay: (threads: number, second: number) => number,
  { min = 1, max = 8, busyPartitions = 16 } = {},
): number[] {
  let state: AutoscaleState | undefined;
  const history: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const now = second * 1_000;
    const sample = { now, delayMs: delay(threads, second), busyPartitions, threads, min, max };
    const decision = autoscale(state, sample);
    state = decision.state;
    threads = decision.wanted;
    history.push(threads);
  }
  return history;
}

t.test('grows when messages wait too long for a while, in bounded steps with a pause between', async (t) => {
  const history = run(120, 1, () => 500);
  t.equal(history[2], 1, 'not at once');
  t.equal(history.at(-1), 8);
  const changes = history.flatMap((now, at) => (at > 0 && now !== history[at - 1] ? [at] : []));
  t.ok(changes.every((at, n) => n === 0 || at - (changes[n - 1] ?? 0) >= 10));
  t.strictSame([...new Set(history)], [1, 2, 3, 4, 6, 8]);
});

t.test('a peak is no reason', async (t) => {
  t.equal(run(60, 2, (_, second) => (second % 30 === 0 ? 100 : 20)).at(-1), 2);
});

t.test('more threads than partitions with work are no help', async (t) => {
  t.equal(run(300, 1, () => 500, { busyPartitions: 1 }).at(-1), 1);
  t.equal(run(300, 1, () => 500, { busyPartitions: 3 }).at(-1), 3);
});

t.test('shrinks when nothing has waited for long, one at a time', async (t) => {
  const history = run(400, 4, () => 0, { min: 2 });
  t.equal(history[55], 4);
  t.equal(history[65], 3);
  t.equal(history.at(-1), 2);
});

t.test('does not go back to what was too few before', async (t) => {
  const history = run(580, 2, (threads) => (threads < 3 ? 200 : 0));
  t.equal(history.at(-1), 3);
  t.equal(new Set(history.slice(30)).size, 1, 'though nothing waits with three');
});

t.test('goes at once to where it is allowed to be', async (t) => {
  t.strictSame(
    run(1, 1, () => 0, { min: 3 }),
    [3],
  );
  t.strictSame(
    run(1, 9, () => 500, { max: 5 }),
    [5],
  );
});

t.test('never outside its limits, and at most one turn back under steady input', async (t) => {
  const delays = fc.array(fc.double({ min: 0, max: 1_000, noNaN: true }), { minLength: 8, maxLength: 8 });
  const limits = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }));
  fc.assert(
    fc.property(delays, limits, fc.integer({ min: 1, max: 8 }), fc.nat(16), (delays, [a, b], start, busy) => {
      const [min, max] = [Math.min(a, b), Math.max(a, b)];
      // More threads make nobody wait longer.
      const steady = [...delays].sort((x, y) => y - x);
      const seconds = DEFAULT_AUTOSCALE.tooFewMs / 1_000;
      const options = { min, max, busyPartitions: busy };
      const history = run(seconds, start, (threads) => steady[threads - 1] ?? 0, options);
      if (history.some((threads) => threads < min || threads > max)) return false;
      const moves = history.slice(1).map((threads, at) => Math.sign(threads - (history[at] ?? 0)));
      const directions = moves.filter((move) => move !== 0);
      const turns = directions.filter((move, at) => at > 0 && move !== directions[at - 1]).length;
      return turns <= 2 && history.every((threads, at) => at === 0 || threads - (history[at - 1] ?? 0) <= 4);
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { maxLength: 300 }), limits, (noise, [a, b]) => {
      const [min, max] = [Math.min(a, b), Math.max(a, b)];
      const history = run(noise.length, min, (_, second) => noise[second] ?? 0, { min, max });
      return history.every((threads) => threads >= min && threads <= max);
    }),
    { numRuns: 200 },
  );
  t.pass();
});
