/** Zips that are broken, or built to do harm. `TEST_SEED` repeats the random run. */
import { Readable } from 'node:stream';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../../../runtime/testing/seed.js';
import { ObjectStoreUnavailableError } from '../../../../storage/objects/errors.js';
import { XLSX_MEDIA_TYPE } from '../../model.js';
import { FileError } from '../errors.js';
import { openTable } from '../open-table.js';
import type { ByteSource } from '../table-file.js';
import { readAll, refusal } from '../test/read-all.js';
import { memorySource } from '../test/sources.js';
import { partsOf, sheetXml, textRows, type ZipPart, zipOf } from '../test/xlsx-builder.js';
import { Budget, Zip } from './zip.js';

const read = async (source: ByteSource) => readAll(await openTable(source, XLSX_MEDIA_TYPE));
const refusedFor = (bytes: Buffer) => refusal(() => read(memorySource(bytes)));
const SHEET = 'xl/worksheets/sheet1.xml';
const ROWS = textRows([['h'], ['1'], ['2']]);
const parts = (...replaced: ZipPart[]) => partsOf({ sheets: [{ name: 'S', rows: ROWS }], parts: replaced });
const good = zipOf(parts());
const sheetWith = (claims: ZipPart['claims'] & object, stored = false): ZipPart => ({
  name: SHEET,
  data: sheetXml(ROWS),
  stored,
  claims,
});

t.test('bombs are refused by what comes out of them, whatever they claim', async (t) => {
  const bomb = Buffer.concat([Buffer.from('<a>'), Buffer.alloc(40_000_000, '<b/>')]);
  const packed = deflateRawSync(bomb, { level: 9 });
  const bombs: [string, ZipPart][] = [
    ['honest', { name: SHEET, data: bomb, packed }],
    ['claims to be small', { name: SHEET, data: bomb, packed, claims: { bytes: 1_000 } }],
    ['texts', { name: 'xl/sharedStrings.xml', data: bomb, packed }],
    ['styles', { name: 'xl/styles.xml', data: bomb, packed }],
    ['relations', { name: 'xl/_rels/workbook.xml.rels', data: bomb, packed }],
  ];
  for (const [name, part] of bombs) {
    const book = partsOf({ sheets: [{ name: 'S', rows: ROWS }], strings: '', styles: '', parts: [part] });
    const before = process.cpuUsage().user;
    t.equal(await refusedFor(zipOf(book)), 'unpacks-too-large', name);
    t.ok(process.cpuUsage().user - before < 2_000_000, 'soon');
  }
  const inside = Buffer.from(sheetXml(`${ROWS}<row>${'<c/>'.repeat(8_000_000)}</row>`));
  t.equal(await refusedFor(zipOf(parts({ name: SHEET, data: inside }))), 'unpacks-too-large');
});

t.test('all parts together have one budget', async (t) => {
  const zip = await Zip.open(
    memorySource(zipOf([1, 2].map((i) => ({ name: `${i}`, data: Buffer.alloc(600) })))),
  );
  const budget = new Budget(1_000);
  const drain = async (name: string) => {
    let bytes = 0;
    for await (const chunk of (await zip.part(name, budget)).chunks) bytes += chunk.length;
    return bytes;
  };
  t.equal(await drain('1'), 600);
  t.equal(await refusal(() => drain('2')), 'unpacks-too-large');
});

t.test('texts that a few bytes name over and over count as if they stood there', async (t) => {
  const strings = `<si><t>${'x'.repeat(60_000)}</t></si>`;
  const row = `<row>${'<c t="s"><v>0</v></c>'.repeat(16)}</row>`;
  const noise = Array.from({ length: 200 }, (_, i) => `<row><c><v>${(i * 7919) % 1000}</v></c></row>`).join(
    '',
  );
  const rows = `${textRows([['h']])}${`${row}${noise}`.repeat(1_200)}`;
  t.equal(await refusedFor(zipOf(partsOf({ sheets: [{ name: 'S', rows }], strings }))), 'unpacks-too-large');
});

t.test('parts that lie over one another', async (t) => {
  t.equal(
    await refusedFor(zipOf([...parts(), { name: 'x', data: 'y', claims: { offset: 0 } }])),
    'unpacks-too-large',
  );
  t.equal(
    await refusedFor(zipOf([...parts(), { name: 'x', data: 'y', claims: { offset: 40 } }])),
    'unpacks-too-large',
  );
});

t.test('more parts than a workbook has', async (t) => {
  const many = Array.from({ length: 2_001 }, (_, i) => ({ name: `p${i}`, data: '', stored: true }));
  t.equal(await refusedFor(zipOf(many)), 'unpacks-too-large');
  const claims = Buffer.from(good);
  claims.writeUInt16LE(0xffff, claims.length - 12);
  t.equal(await refusedFor(claims), 'unpacks-too-large');
});

t.test('encrypted ones', async (t) => {
  t.equal(await refusedFor(zipOf(parts(sheetWith({ flags: 1 })))), 'encrypted');
  t.equal(await refusedFor(zipOf(parts(sheetWith({ flags: 0x41 })))), 'not-a-table');
});

t.test('broken ones', async (t) => {
  const cases: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['a text', Buffer.from('iban,amount\n')],
    ['cut short', good.subarray(0, -30)],
    ['bytes behind its end', Buffer.concat([good, Buffer.alloc(100)])],
    ['a wrong checksum', zipOf(parts(sheetWith({ crc32: 1 })))],
    ['a wrong length', zipOf(parts(sheetWith({ bytes: 10 })))],
    ['a method of its own', zipOf(parts(sheetWith({ method: 99 })))],
    ['stored, with two lengths', zipOf(parts(sheetWith({ bytes: 10 }, true)))],
    ['data beyond the file', zipOf(parts(sheetWith({ packedBytes: 1_000_000 })))],
    [
      'a part beyond the file that nobody reads',
      zipOf([...parts(), { name: 'x', data: '', claims: { packedBytes: 9_999 } }]),
    ],
    ['a header beyond the file', zipOf(parts(sheetWith({ offset: 0x7fffffff })))],
    ['half of the data', zipOf(parts(sheetWith({ packedBytes: 30 })))],
    ['two parts of one name', zipOf([...parts(), { name: SHEET.toUpperCase(), data: '' }])],
    ['a path out of it', zipOf([...parts(), { name: '../x', data: '' }])],
    ['no spreadsheet', zipOf([{ name: 'readme.txt', data: 'hello' }])],
    ['no sheet', zipOf(parts().filter(({ name }) => name !== SHEET))],
  ];
  for (const [name, bytes] of cases) t.equal(await refusedFor(bytes), 'not-a-table', name);
  const other = memorySource(zipOf([{ name: 'readme.txt', data: 'hello' }]));
  await t.rejects(read(other), { message: /no spreadsheet/ });
});

t.test('data that goes on behind its end leaves no stream open', async (t) => {
  const data = sheetXml(ROWS);
  for (const length of [10, 1_000_000]) {
    const packed = Buffer.concat([deflateRawSync(data), Buffer.alloc(length, 0x55)]);
    const source = memorySource(zipOf(parts({ name: SHEET, data, packed })));
    t.equal((await read(source)).rows.length, 2);
    t.equal(source.open, 0);
  }
});

t.test('zip64 with numbers that no file has', async (t) => {
  const end = good.subarray(-22);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  for (const [directory, reason] of [
    [0xffffffffffffffffn, 'not-a-table'],
    [BigInt(good.length - 22), 'not-a-table'],
  ] as const) {
    locator.writeBigUInt64LE(directory, 8);
    t.equal(await refusedFor(Buffer.concat([good.subarray(0, -22), locator, end])), reason, `${directory}`);
  }
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(2n ** 60n, 32);
  record.writeBigUInt64LE(2n ** 60n, 48);
  locator.writeBigUInt64LE(BigInt(good.length - 22), 8);
  t.equal(
    await refusedFor(Buffer.concat([good.subarray(0, -22), record, locator, end])),
    'unpacks-too-large',
  );
  record.writeBigUInt64LE(5n, 32);
  t.equal(await refusedFor(Buffer.concat([good.subarray(0, -22), record, locator, end])), 'not-a-table');
});

t.test('a source that fails is not the file’s fault, wherever it fails', async (t) => {
  const reads: [number, number][] = [];
  const memory = memorySource(good);
  const counting: ByteSource = {
    bytes: good.length,
    async read(start, end = good.length) {
      reads.push([start, end]);
      return memory.read(start, end);
    },
  };
  t.equal((await read(counting)).rows.length, 2);
  t.ok(reads.length <= 12, `${reads.length} requests`);
  for (const failAt of reads.keys()) {
    for (const how of ['refuse', 'fail', 'end'] as const) {
      let turn = 0;
      const failing: ByteSource = {
        bytes: good.length,
        async read(start, end = good.length) {
          if (turn++ !== failAt) return memory.read(start, end);
          if (how === 'refuse') throw new ObjectStoreUnavailableError('away');
          const some = good.subarray(start, start + Math.floor((end - start) / 2));
          return Readable.from(
            (async function* () {
              yield some;
              if (how === 'fail') throw new ObjectStoreUnavailableError('away');
            })(),
          );
        },
      };
      const code = how === 'end' ? 'TETHER_UPLOAD_SOURCE_ENDED' : 'TETHER_OBJECTS_UNAVAILABLE';
      await t.rejects(read(failing), { code }, `request ${failAt}: ${how}`);
    }
  }
  t.equal(memory.open, 0, 'and nothing is left open');
});

t.test('random damage is read or refused, and never anything else', async (t) => {
  const seed = testSeed(t);
  const original = [...(await read(memorySource(good))).rows];
  const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(damage, fc.option(fc.nat(good.length)), async (changes, cut) => {
      const bytes = Buffer.from(good.subarray(0, cut ?? good.length));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      const source = memorySource(bytes);
      try {
        const { rows } = await read(source);
        t.strictSame(rows, original, 'what is read is what was there');
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
      }
      t.equal(source.open, 0);
    }),
    { seed, numRuns: 500 },
  );
});
