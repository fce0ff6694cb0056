import t from 'tap';
import { numberFormat, showNumber, showSeconds, showTick } from './numbers.js';

t.test('a number by itself has three significant figures', async (t) => {
  const shown = [0, 0.012345, 1.8, 12.34, 41_303.4, 308_636_928, 2e9, 1e-9, -2, Number.NaN].map(showNumber);
  t.strictSame(shown, ['0', '0.0123', '1.80', '12.3', '41,303', '309 M', '2.00 G', '1.00e-9', '-2.00', '–']);
});

t.test('numbers below one another have the same decimals', async (t) => {
  const show = (values: readonly number[]) => values.map(numberFormat(values));
  t.strictSame(show([0.515, 9.7, 10.34]), ['0.52', '9.70', '10.34']);
  t.strictSame(show([41, 1_868.6]), ['41', '1,869']);
  t.strictSame(show([9_780_000, 875_000]), ['9.78 M', '0.88 M']);
  t.strictSame(show([0.0121, 2_461]), ['0.0121', '2,461'], 'too far apart');
  t.strictSame(show([0, Number.NaN]), ['0', '–']);
});

t.test('ticks and durations', async (t) => {
  t.strictSame([0, 0.05, 1.05, 20_000, 2e6, 1e-5].map(showTick), [
    '0',
    '0.05',
    '1.05',
    '20,000',
    '2 M',
    '1e-5',
  ]);
  t.strictSame([0.4, 95.2, 312.4, Number.NaN].map(showSeconds), ['0 s', '95 s', '5 min', '–']);
});
