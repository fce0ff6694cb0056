import t from 'tap';
import { type Comparison, MEAN } from './comparisons.js';
import { geometricMean, type Rates, ratiosOf } from './ratios.js';

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
  ['d', new Map([['counting', [180_000]]])],
]);

const comparison = (under: string, bars: Comparison['bars']): Comparison => ({
  title: 'A / B',
  over: 'a',
  under,
  bars,
});

t.test('ratios are taken round by round, and the mean over the benchmarks of a round', async (t) => {
  const found = ratiosOf(BENCHMARKS, comparison('b', { counting: 2, [MEAN]: 1.5 }), rates);
  t.strictSame(found.slice(0, 2), [
    { row: 'ping-pong', rounds: [4, 2, 6], atLeast: undefined },
    { row: 'counting', rounds: [1, 2], atLeast: 2 },
  ]);
  const [, , mean] = found;
  t.match(mean, { row: MEAN, atLeast: 1.5 });
  t.strictSame(
    mean?.rounds.map((value) => value.toFixed(9)),
    ['2.000000000', '2.000000000'],
    'as far as all go',
  );
});

t.test('no ratio without both subjects, no mean of one', async (t) => {
  t.strictSame(ratiosOf(BENCHMARKS, comparison('c', { big: 1 }), rates), []);
  t.strictSame(ratiosOf(BENCHMARKS, comparison('d', { [MEAN]: 1 }), rates), [
    { row: 'counting', rounds: [0.5], atLeast: undefined },
  ]);
});

t.test('the geometric mean', async (t) => {
  t.ok(Math.abs(geometricMean([2, 8]) - 4) < 1e-12);
});
