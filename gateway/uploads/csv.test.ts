import fc from 'fast-check';
import papaparse from 'papaparse';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { csvCell, csvRow } from './csv.js';

t.test('what a spreadsheet would run is text', async (t) => {
  for (const formula of [
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    "=cmd|' /C calc'!A0",
    '\t=1',
    '\ttext',
    '\rtext',
    '\ntext',
    ' =1',
    '\u00a0=1',
    '\ufeff=1',
    '\n\n=1',
    '＝1',
    '＋1',
    '－1',
    '＠a',
    '=HYPERLINK("http://a.example";"x")',
  ]) {
    t.match(csvCell(formula), /^"?'/, JSON.stringify(formula));
  }
  for (const text of ['', 'a', '1-1', 'a=1', 'a@b.example', "'x", 'Müller', ' a']) {
    t.notMatch(csvCell(text), /^"?'(?!x)/, JSON.stringify(text));
  }
});

t.test('cells are quoted where they must be', async (t) => {
  t.equal(csvRow(['a', 'b c', '']), 'a,b c,\r\n');
  t.equal(csvRow(['a,b', 'a"b', 'a\nb', 'a\rb', ' a']), '"a,b","a""b","a\nb","a\rb"," a"\r\n');
});

t.test('any cells come back, but for the apostrophe', async (t) => {
  const cell = fc.string({ unit: fc.constantFrom(...'ab"\',;=+-@ \t\r\n＝é\u{1F600}\ufeff') });
  const rows = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(rows, (given) => {
      // The mark keeps the parser from taking a first character for a byte order mark.
      const text = csvRow(['mark', '']) + given.map(csvRow).join('');
      const read = papaparse.parse<string[]>(text, { delimiter: ',', newline: '\r\n' }).data.slice(1, -1);
      const expected = given.map((row) =>
        row.map((each) => (csvCell(each).match(/^"?'/) && !each.startsWith("'") ? `'${each}` : each)),
      );
      return JSON.stringify(read) === JSON.stringify(expected);
    }),
    { seed: testSeed(t), numRuns: 500 },
  );
});
