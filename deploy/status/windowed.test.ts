import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { Rate, WindowedHistogram } from './windowed.js';

const BOUNDS = [0.001, 0.01, 0.1];

t.test('percentiles are of the last ten samples', async (t) => {
  const histogram = new WindowedHistogram();
  const counts = [0, 0, 0, 0];
  const look = () => histogram.sample({ bounds: BOUNDS, counts });
  t.equal(look(), null, 'nothing has happened');
  counts[1] = 100;
  t.match(
    JSON.parse(
      JSON.stringify(look(), (_, value) => (typeof value === 'number' ? Number(value.toFixed(6)) : value)),
    ),
    { p50: 5.5, p95: 9.55, p99: 9.91 },
    'interpolated within the bucket from 1 to 10',
  );
  for (let second = 0; second < 9; second++) t.ok(look());
  t.equal(look(), null, 'what happened before the window counts no more');
  counts[3] = 1;
  t.same(look(), { p50: 100, p95: 100, p99: 100 }, 'above the last bound, the bound is said');
});

t.test('a percentile lies in the bucket of the value that it stands for', async (t) => {
  const seed = testSeed(t);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.001, max: 99, noNaN: true }), { minLength: 1 }), (values) => {
      const bucket = (value: number) => BOUNDS.findIndex((bound) => value <= bound * 1_000);
      const counts = [0, 0, 0, 0];
      const histogram = new WindowedHistogram();
      histogram.sample({ bounds: BOUNDS, counts });
      for (const value of values) counts[bucket(value)] = (counts[bucket(value)] ?? 0) + 1;
      const found = histogram.sample({ bounds: BOUNDS, counts });
      const sorted = [...values].sort((a, b) => a - b);
      for (const [share, percentile] of [
        [0.5, found?.p50],
        [0.95, found?.p95],
        [0.99, found?.p99],
      ] as const) {
        const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
        if (percentile === undefined || bucket(Number(percentile.toPrecision(12))) !== bucket(exact))
          return false;
      }
      return true;
    }),
    { seed },
  );
});

t.test('rates', async (t) => {
  const rate = new Rate();
  t.equal(rate.sample(1_000, 5_000), 0, 'of the first sample nothing is known');
  t.equal(rate.sample(1_500, 7_000), 250);
  t.equal(rate.sample(1_500, 8_000), 0);
  t.equal(rate.sample(10, 9_000), 0, 'a count that began anew');
});
