import t from 'tap';
import { readOptions } from './options.js';

t.test('what is given and what is not', async (t) => {
  t.strictSame(readOptions([]), {
    base: undefined,
    rounds: 4,
    pairs: 6,
    seconds: 1,
    rates: true,
    counts: true,
    lossPercentMax: 3,
  });
  t.match(readOptions(['v1.0', '--only', 'counts', '--loss', '0.5']), {
    base: 'v1.0',
    rates: false,
    counts: true,
    lossPercentMax: 0.5,
  });
  t.match(readOptions(['--only', 'rates', '--rounds=2', '--pairs=3', '--seconds=2']), {
    rates: true,
    counts: false,
    rounds: 2,
    pairs: 3,
    seconds: 2,
  });
});

t.test('what is wrong is named', async (t) => {
  t.throws(() => readOptions(['a', 'b']), /one base commit, not 2: a b/);
  t.throws(() => readOptions(['--only', 'both']), /--only is both, allowed are rates and counts/);
  for (const rounds of ['0', '1.5', 'x', ''])
    t.throws(() => readOptions([`--rounds=${rounds}`]), /--rounds is/);
  t.throws(() => readOptions(['--pairs=2']), /--pairs is 2, allowed is a whole number from 3 to 100/);
  for (const loss of ['100', '-1', 'x', '']) t.throws(() => readOptions([`--loss=${loss}`]), /--loss is/);
  t.throws(() => readOptions(['--round', '3']), /round/);
});
