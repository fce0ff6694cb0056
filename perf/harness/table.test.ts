import t from 'tap';
import { showSpread, spread, table } from './table.js';

t.test('median, least and most', async (t) => {
  t.strictSame(spread([3, 1, 2]), { median: 2, min: 1, max: 3 });
  t.strictSame(spread([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
  t.throws(() => spread([]), RangeError);
  t.equal(showSpread(spread([1234.56, 1000, 2000]), 1), '1,234.6 (1,000.0 to 2,000.0)');
});

t.test('columns are aligned', async (t) => {
  t.equal(table(['a', 'long'], [['xyz', '1']]), '| a   | long |\n|-----|------|\n| xyz | 1    |');
});
