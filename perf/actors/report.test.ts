import t from 'tap';
import { type Comparison, MEAN } from './comparisons.js';
import { geometricMean, missedBars, type Rates, ratesTable, ratiosTable } from './report.js';

const BENCHMARKS = ['ping-pong', 'counting', 'big'];

const rates: Rates = new Map([
  [
    'a',
    new Map([
      ['ping-pong', [4_000_000, 2_000_000, 6_000_000]],
      ['counting', [90_000, 90_000, 90_000]],
    ]),
  ],
  [
    'b',
    new Map([
      ['ping-pong', [1_000_000, 1_000_000, 1_000_000]],
      // Its third round failed.
      ['counting', [90_000, 45_000]],
    ]),
  ],
  ['c', new Map()],
]);

const comparison = (bars: Comparison['bars']): Comparison => ({
  title: 'A / B',
  over: 'a',
  under: 'b',
  bars,
});

t.test('rates: a row for each benchmark that any subject has', async (t) => {
  const subjects = [
    { name: 'a', title: 'A' },
    { name: 'c', title: 'C' },
  ];
  t.equal(
    ratesTable(BENCHMARKS, subjects, rates),
    [
      '| thousand messages/s | A                      | C |',
      '|---------------------|------------------------|---|',
      '| ping-pong           | 4,000 (2,000 to 6,000) |   |',
      '| counting            | 90.0 (90.0 to 90.0)    |   |',
    ].join('\n'),
  );
});

t.test('ratios are taken round by round, and the mean over the benchmarks of a round', async (t) => {
  t.equal(
    ratiosTable(BENCHMARKS, [comparison({ counting: 2, [MEAN]: 1.5 })], rates),
    [
      '| ratio, round by round | A / B                             |',
      '|-----------------------|-----------------------------------|',
      '| ping-pong             | 4.00 (2.00 to 6.00)               |',
      '| counting              | 1.50 (1.00 to 2.00), at least 2   |',
      '| geometric mean        | 2.00 (2.00 to 2.00), at least 1.5 |',
    ].join('\n'),
  );
});

t.test('no ratio without both subjects', async (t) => {
  t.equal(ratiosTable(BENCHMARKS, [{ title: 'A / C', over: 'a', under: 'c', bars: { big: 1 } }], rates), '');
  t.strictSame(
    missedBars(BENCHMARKS, [{ title: 'A / C', over: 'a', under: 'c', bars: { big: 1 } }], rates),
    [],
  );
});

t.test('missed bars', async (t) => {
  t.strictSame(missedBars(BENCHMARKS, [comparison({ 'ping-pong': 4, counting: 1.6, [MEAN]: 2.5 })], rates), [
    'A / B, counting: 1.50, at least 1.6',
    'A / B, geometric mean: 2.00, at least 2.5',
  ]);
});

t.test('the geometric mean', async (t) => {
  t.ok(Math.abs(geometricMean([2, 8]) - 4) < 1e-12);
});
