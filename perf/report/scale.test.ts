import t from 'tap';
import { linearScale, linearTicks, logScale, logTicks, roundOut } from './scale.js';

t.test('linear ticks are multiples of 1, 2 or 5', async (t) => {
  t.strictSame(linearTicks(0, 58_957, 3), [0, 20_000, 40_000]);
  t.strictSame(linearTicks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  t.strictSame(linearTicks(31.2, 37.9, 4), [32, 34, 36]);
  t.strictSame(linearTicks(0, 0.3, 3), [0, 0.1, 0.2, 0.3], 'no dust of binary fractions');
  t.strictSame(linearTicks(3, 3, 5), [3]);
});

t.test('logarithmic ticks', async (t) => {
  t.strictSame(logTicks(1, 20, 6), [1, 2, 5, 10, 20], 'all of 1, 2, 5 where there is room');
  t.strictSame(logTicks(0.01, 2_500, 6), [0.01, 0.1, 1, 10, 100, 1_000], 'decades otherwise');
  t.strictSame(logTicks(1e-6, 1e6, 5), [1e-6, 1e-3, 1, 1e3, 1e6], 'every third');
  t.strictSame(logTicks(31, 38, 4), [32, 34, 36, 38], 'none of 1, 2, 5 lies within');
});

t.test('a value has its place', async (t) => {
  const linear = linearScale(0, 50, 5);
  t.strictSame([-1, 0, 25, 60].map(linear.share), [0, 0, 0.5, 1]);
  const log = logScale(1, 100, 5);
  t.strictSame([0, 1, 10, 1_000].map(log.share), [0, 0, 0.5, 1]);
  t.equal(linearScale(0, 0, 5).high, 1, 'nothing but zeros');
  t.equal(logScale(3, 3, 5).high, 30, 'one value');
  t.strictSame(
    [0.071, 6.1, 141, 200].map((value) => roundOut(value)),
    [0.05, 5, 100, 200],
  );
  t.strictSame(
    [0.071, 6.1, 141, 200].map((value) => roundOut(value, true)),
    [0.1, 10, 200, 200],
  );
});
