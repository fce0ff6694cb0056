import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { cleanFilename, FILENAME_LENGTH_MAX } from './filename.js';

for (const [given, clean] of [
  ['debtors.csv', 'debtors.csv'],
  ['Schuldner März 2026.xlsx', 'Schuldner März 2026.xlsx'],
  ['../../etc/passwd', 'passwd'],
  ['..\\..\\windows\\system32\\x.csv', 'x.csv'],
  ['/absolute/x.csv', 'x.csv'],
  ['a\0b.csv', 'ab.csv'],
  ['a\r\nSet-Cookie: x=1.csv', 'aSet-Cookie: x=1.csv'],
  ['invoice\u202Evsc.exe', 'invoicevsc.exe'],
  ['zero\u200Bwidth\uFEFF.csv', 'zerowidth.csv'],
  ['lone\uD800.csv', 'lone.csv'],
  ['', 'upload'],
  ['.', 'upload'],
  ['..', 'upload'],
  ['dir/', 'upload'],
  ['\u202E', 'upload'],
] as const) {
  t.equal(cleanFilename(given), clean, JSON.stringify(given));
}

t.test('a long name is cut and keeps its ending', async (t) => {
  const cut = cleanFilename(`${'n'.repeat(1000)}.csv`);
  t.equal(cut.length, FILENAME_LENGTH_MAX);
  t.match(cut, /n\.csv$/);
  t.equal([...cleanFilename('😀'.repeat(1000))].length, FILENAME_LENGTH_MAX, 'no character is cut in two');
});

t.test('whatever is given, the result is a name', async (t) => {
  const seed = testSeed(t);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (given) => {
      const clean = cleanFilename(given);
      return (
        clean !== '' &&
        [...clean].length <= FILENAME_LENGTH_MAX &&
        !/[/\\\p{Cc}\p{Cf}]/u.test(clean) &&
        !/\p{Cs}/u.test(clean) &&
        cleanFilename(clean) === clean
      );
    }),
    { seed, numRuns: 500 },
  );
});
