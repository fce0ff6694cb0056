import t from 'tap';
import { Trend } from './trend.js';

function trendOf(values: readonly number[], exactMax?: number): Trend {
  const trend = new Trend(exactMax);
  for (const value of values) trend.add(value);
  return trend;
}

t.test('a percentile is interpolated between the two values next to it', async (t) => {
  const trend = trendOf([40, 10, 30, 20]);
  t.strictSame(
    [0, 25, 50, 95, 100].map((percent) => Math.round(trend.percentile(percent) * 1_000) / 1_000),
    [10, 17.5, 25, 38.5, 40],
  );
  trend.add(0);
  t.equal(trend.percentile(50), 20, 'also after a further value');
  t.strictSame([trend.min, trend.max, trend.avg, trend.count], [0, 40, 20, 5]);
});

t.test('one value, and none', async (t) => {
  t.equal(trendOf([7]).percentile(99), 7);
  const empty = new Trend();
  t.strictSame([empty.percentile(95), empty.min, empty.max, empty.avg, empty.count], [0, 0, 0, 0, 0]);
});

t.test('more values than are kept one by one: within 0.1 % of the exact ones', async (t) => {
  // From 0.01 to 10,000, in an order of no meaning.
  const values = Array.from({ length: 6_000 }, (_, i) => 0.01 * 10 ** (((i * 2_917) % 6_000) / 1_000));
  const exact = trendOf(values);
  const counted = trendOf(values, 1_500);
  for (const percent of [0, 1, 50, 90, 95, 99, 99.9, 100]) {
    const expected = exact.percentile(percent);
    const error = Math.abs(counted.percentile(percent) / expected - 1);
    t.ok(error < 0.001, `p(${percent}): ${counted.percentile(percent)} instead of ${expected}`);
  }
  t.strictSame([counted.min, counted.max, counted.count], [exact.min, exact.max, 6_000]);
  const zeros = trendOf([0, 0, 0, 5], 2);
  t.strictSame([zeros.percentile(50), zeros.percentile(100)], [0, 5], 'zero is a time, too');
});
