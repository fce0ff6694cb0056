/** Spreadsheets as tables. `TEST_SEED` repeats the random run. */
import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../../../runtime/testing/seed.js';
import { XLSX_MEDIA_TYPE } from '../../model.js';
import { openTable } from '../open-table.js';
import { sniff } from '../sniff.js';
import { readAll, refusal } from '../test/read-all.js';
import { memorySource } from '../test/sources.js';
import { textRows, xlsxOf } from '../test/xlsx-builder.js';

const open = (bytes: Buffer) => openTable(memorySource(bytes), XLSX_MEDIA_TYPE);
const rowsOf = async (bytes: Buffer) => {
  const table = await open(bytes);
  const { rows } = await readAll(table);
  return [table.description.header, ...rows.map(({ line, cells }) => [line, ...cells])];
};
const refusedFor = (bytes: Buffer) => refusal(async () => readAll(await open(bytes)));
const HEADER = '<row r="1"><c r="A1" t="str"><v>h</v></c></row>';
const sheet = (rows: string) => ({ sheets: [{ name: 'S', rows: HEADER + rows }] });

t.test('cells of every type', async (t) => {
  const styles =
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy hh:mm"/></numFmts>' +
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>' +
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs>' +
    '<dxfs><xf numFmtId="14"/></dxfs>';
  const strings = [
    '<si><t>plain &amp; &#x20AC;</t></si>',
    '<si><r><rPr><b/></rPr><t xml:space="preserve">rich </t></r><r><t>text</t></r><rPh sb="0" eb="1"><t>spoken</t></rPh></si>',
    '<si><t>a_x000D_b</t></si>',
    '<si><t><![CDATA[<c>]]></t></si>',
    '<si/>',
  ].join('');
  const rows =
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r></is></c></row>' +
    '<row r="3" ht="1"><c r="C3" s="1"><v>46351</v></c><c r="E3" t="s"><v>1</v></c></row>' +
    '<row r="7"><c t="b"><v>1</v></c><c t="b"><v>0</v></c><c t="e"><v>#N/A</v></c><c s="2"><v>46351.5</v></c>' +
    '<c r="F7"><f>SUM(1,2)</f><v>3.0000000000000004</v></c><c t="str"><f>A1</f><v>calc</v></c>' +
    '<c t="d"><v>2026-11-25T00:00:00</v></c><c t="s"><v>2</v></c><c t="s"><v>3</v></c><c t="s"><v>4</v></c></row>' +
    '<row><c s="1"/></row><row/><row r="20"><c r="A20" t="str"><v> x </v></c><c r="XFD20" s="1"/></row>';
  t.strictSame(await rowsOf(xlsxOf({ sheets: [{ name: 'S', rows }], strings, styles })), [
    ['plain & €', 'inline'],
    [3, '', '', '2026-11-25', '', 'rich text'],
    [7, 'TRUE', 'FALSE', '#N/A', '2026-11-25T12:00:00', '', '3', 'calc', '2026-11-25', 'a\rb', '<c>'],
    [20, ' x '],
  ]);
});

t.test('the first sheet that is not hidden, of either date system, stored or deflated', async (t) => {
  const styles = '<cellXfs><xf numFmtId="14"/></cellXfs>';
  const date = '<row><c t="str"><v>h</v></c></row><row><c s="0"><v>1</v></c></row>';
  const sheets = [
    { name: 'A', rows: textRows([['hidden']]), state: 'hidden' as const },
    { name: 'B', rows: textRows([['very hidden']]), state: 'veryHidden' as const },
    { name: 'C', rows: date },
    { name: 'D', rows: textRows([['second']]) },
  ];
  t.strictSame(await rowsOf(xlsxOf({ sheets, styles })), [['h'], [2, '1900-01-01']]);
  t.strictSame(await rowsOf(xlsxOf({ sheets, styles, date1904: true, stored: true })), [
    ['h'],
    [2, '1904-01-02'],
  ]);
  t.equal(await refusedFor(xlsxOf({ sheets: sheets.slice(0, 2) })), 'not-a-table');
});

t.test('parts with prefixes, and in UTF-16', async (t) => {
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  const prefixed = `<x:worksheet xmlns:x="${main}"><x:sheetData><x:row><x:c t="str"><x:v>ñ</x:v></x:c></x:row></x:sheetData></x:worksheet>`;
  const name = 'xl/worksheets/sheet1.xml';
  const book = (data: Buffer) => xlsxOf({ sheets: [{ name: 'S', rows: '' }], parts: [{ name, data }] });
  t.strictSame(await rowsOf(book(Buffer.from(prefixed))), [['ñ']]);
  t.strictSame(await rowsOf(book(Buffer.from(`\ufeff${prefixed}`, 'utf16le'))), [['ñ']]);
  t.strictSame(await rowsOf(book(Buffer.from(`\ufeff${prefixed}`, 'utf16le').swap16())), [['ñ']]);
});

t.test('it is known by its first bytes', async (t) => {
  const bytes = xlsxOf(sheet(''));
  t.strictSame(await sniff(bytes.subarray(0, 4_100)), { is: 'table', mediaType: XLSX_MEDIA_TYPE });
});

t.test('a sheet without text is empty', async (t) => {
  t.equal(
    await refusedFor(xlsxOf({ sheets: [{ name: 'S', rows: '<row r="4"><c s="0"/></row>' }] })),
    'empty',
  );
});

t.test('rows beyond the limits are refused with their line', async (t) => {
  const text = (cells: number, length: number) =>
    `<row r="5">${`<c t="str"><v>${'x'.repeat(length)}</v></c>`.repeat(cells)}</row>`;
  t.equal(await refusedFor(xlsxOf(sheet(text(500, 1)))), undefined);
  t.equal(await refusedFor(xlsxOf(sheet(text(501, 1)))), 'too-many-columns:5');
  t.equal(await refusedFor(xlsxOf(sheet('<row r="5"><c r="XFD5"><v>1</v></c></row>'))), 'too-many-columns:5');
  t.equal(await refusedFor(xlsxOf(sheet(text(1, 65_536)))), undefined);
  t.equal(await refusedFor(xlsxOf(sheet(text(1, 65_537)))), 'cell-too-long:5');
  const shared = {
    ...sheet('<row r="5"><c t="s"><v>0</v></c></row>'),
    strings: `<si><t>${'x'.repeat(65_537)}</t></si>`,
  };
  t.equal(await refusedFor(xlsxOf(shared)), 'cell-too-long:5');
  const pieces = `<row r="5"><c t="inlineStr"><is>${`<t>${'x'.repeat(60_000)}</t>`.repeat(2)}</oops>`;
  t.equal(await refusedFor(xlsxOf(sheet(pieces))), 'cell-too-long:5', 'before its end');
  t.equal(await refusedFor(xlsxOf(sheet(text(21, 50_000)))), 'row-too-long:5');
});

t.test('rows and cells have to be in order, and to have what they name', async (t) => {
  for (const rows of [
    '<row r="1"/>',
    '<row r="3"/><row r="2"/>',
    '<row r="0"/>',
    '<row r="x"/>',
    '<row r="1048577"/>',
    '<row><c r="B2"/><c r="A2"/></row>',
    '<row><c r="B2"/><c r="B2"/></row>',
    '<row><c r="2"/></row>',
    '<row><c t="s"><v>0</v></c></row>',
    '<row><c t="s"><v>x</v></c></row>',
  ]) {
    t.equal(await refusedFor(xlsxOf(sheet(rows))), 'malformed-xml', rows);
  }
});

t.test('reading goes on at the next of every piece', async (t) => {
  const seed = testSeed(t);
  const cell = fc.string({ unit: fc.constantFrom('a', '&', '<', ' ', 'é', '\n', '\r', '😀'), maxLength: 4 });
  const table = fc.array(fc.array(cell, { maxLength: 3 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(table, fc.constantFrom(1, 700), async (rows, times) => {
      const all = [['head'], ...Array.from({ length: times }, () => rows).flat()];
      const expected = all
        .map((cells, i) => ({
          line: i + 1,
          cells: cells.slice(0, cells.findLastIndex((text) => text !== '') + 1),
        }))
        .filter(({ cells }) => cells.some((text) => text.trim() !== ''));
      const source = memorySource(xlsxOf({ sheets: [{ name: 'S', rows: textRows(all) }] }), [777]);
      const opened = await openTable(source, XLSX_MEDIA_TYPE);
      t.strictSame(opened.description.header, ['head']);
      const read = await readAll(opened);
      t.strictSame(read.rows, expected.slice(1), 'the rows');
      for (const [index, next] of read.nexts.entries()) {
        const done = read.sizes.slice(0, index + 1).reduce((sum, size) => sum + size, 0);
        const again = await openTable(source, XLSX_MEDIA_TYPE, opened.description);
        t.strictSame((await readAll(again, next)).rows, expected.slice(1 + done), 'the rest');
        t.ok(next.byte >= 0 && next.byte <= source.bytes);
      }
      t.equal(source.open, 0);
    }),
    { seed, numRuns: 30 },
  );
});

t.test('pieces are bounded in rows and in text', async (t) => {
  const many = await readAll(await open(xlsxOf(sheet('<row><c><v>1</v></c></row>'.repeat(10_000)))));
  t.ok(Math.max(...many.sizes) < 2_500 && many.sizes.length >= 4, many.sizes.join());
  const strings = `<si><t>${'x'.repeat(60_000)}</t></si>`;
  const long = await readAll(
    await open(xlsxOf({ ...sheet(`<row>${'<c t="s"><v>0</v></c>'.repeat(10)}</row>`.repeat(200)), strings })),
  );
  t.ok(Math.max(...long.sizes) < 30, long.sizes.join());
});
