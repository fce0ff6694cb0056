/** What rows a text has, whatever its encoding, line ends, quotes, and however its bytes come. `TEST_SEED` repeats a run. */
import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { TEXT_MEDIA_TYPE } from '../model.js';
import type { Encoding } from './encoding.js';
import { openTable } from './open-table.js';
import type { TableDescription } from './table-file.js';
import { readAll, refusal } from './test/read-all.js';
import { memorySource } from './test/sources.js';
import { TextFile } from './text-file.js';

const open = (text: string | Buffer, sizes?: number[]) =>
  openTable(memorySource(Buffer.from(text as string), sizes), TEXT_MEDIA_TYPE);
const rowsOf = async (text: string | Buffer) =>
  (await readAll(await open(text))).rows.map(({ line, cells }) => [line, ...cells]);
const refusedFor = (text: string | Buffer) => refusal(async () => readAll(await open(text)));

t.test('line ends of each kind, mixed, and none at the end', async (t) => {
  for (const end of ['\n', '\r\n', '\r']) {
    t.strictSame(await rowsOf(['a,b', '1,2', '3,4'].join(end)), [
      [2, '1', '2'],
      [3, '3', '4'],
    ]);
  }
  const mixed = ['a,b\r\n1,2\r3,4\n\n\r\r\n5,6\r\n\r\n', '7,8'].join('');
  const rows = [
    [2, '1', '2'],
    [3, '3', '4'],
    [7, '5', '6'],
    [9, '7', '8'],
  ];
  t.strictSame(await rowsOf(mixed), rows);
  t.strictSame(await rowsOf(mixed.replace('5,6', '"5",6')), rows, 'also where quotes are about');
});

t.test('quotes: line breaks, delimiters and doubled quotes within', async (t) => {
  t.strictSame(await rowsOf('a,b\r\n"x\r\ny\nz","1,""5"""\r\n"",q\r\n"r" ,"s"  \r\n"t","u"  '), [
    [2, 'x\r\ny\nz', '1,"5"'],
    [5, '', 'q'],
    [6, 'r', 's'],
    [7, 't', 'u'],
  ]);
});

t.test('quotes that are not by the book mean themselves where they can mean nothing else', async (t) => {
  t.strictSame(await rowsOf('a,b,c\nO"Brien,12",x\n"a"b,y,z\n""q"",1,2\n "x",3,4\n"e"f"g\r\n'), [
    [2, 'O"Brien', '12"', 'x'],
    [3, '"a"b', 'y', 'z'],
    [4, '""q""', '1', '2'],
    [5, ' "x"', '3', '4'],
    [6, '"e"f"g'],
  ]);
});

t.test('quotes that could join rows or shift columns refuse the file', async (t) => {
  t.equal(
    await refusedFor('a,b\n1,2\n"x,3\n"y",4\n5,6\n'),
    'ambiguous-quote:3',
    'never closed, found by the next',
  );
  t.equal(await refusedFor('a,b\n"Smith, "Jack" Jr",2\n'), 'ambiguous-quote:2');
  t.equal(await refusedFor('a,b\n"a"b,c"\n'), 'ambiguous-quote:2');
  t.equal(await refusedFor('a,b\n1,2\n3,"x\n4,5\n'), 'unclosed-quote:3');
  t.equal(await refusedFor(`a,b\n1,2\n3,"x\n${'4,5\n'.repeat(600_000)}`), 'unclosed-quote:3', 'within reach');
});

t.test('encodings', async (t) => {
  const text = 'name,amount\nJosé Ñandú €,1\nß,2\n';
  const rows = [
    [2, 'José Ñandú €', '1'],
    [3, 'ß', '2'],
  ];
  const big = Buffer.from(text, 'utf16le').swap16();
  t.strictSame(await rowsOf(text), rows, 'UTF-8');
  t.strictSame(await rowsOf(`\ufeff${text}`), rows, 'UTF-8 with a mark');
  t.strictSame(await rowsOf(Buffer.from(`\ufeff${text}`, 'utf16le')), rows, 'UTF-16LE');
  t.strictSame(await rowsOf(Buffer.concat([Buffer.from([0xfe, 0xff]), big])), rows, 'UTF-16BE');
  const latin = Buffer.from(text.replace('€', '\x80'), 'latin1');
  t.strictSame(await rowsOf(latin), rows, 'Windows-1252');
});

t.test('bytes that the encoding does not know refuse the file, with their line', async (t) => {
  const good = Buffer.from(`name,amount\nJosé,1\n${'x,1\n'.repeat(100_000)}`);
  const bad = Buffer.from('x,"1\r\n"\rJos\xe9,1\n', 'latin1');
  t.equal(await refusedFor(Buffer.concat([good, bad])), 'invalid-encoding:100005');
  t.equal(
    await refusedFor(Buffer.concat([good, Buffer.from('ok\nJos\xe9', 'latin1')])),
    'invalid-encoding:100004',
  );
  t.equal(await refusedFor(Buffer.from('\ufeffa,b\nc,\ud800d\n', 'utf16le')), 'invalid-encoding:2');
  t.equal(await refusedFor(Buffer.from('\ufeffa,b\nc,d\n', 'utf16le').subarray(0, -1)), 'invalid-encoding');
  t.equal(await refusedFor('a,b\n1,2\n3,\0\n'), 'not-a-table:3');
});

t.test('rows beyond the limits refuse the file, with their line', async (t) => {
  t.equal(await refusedFor(`a,b\n${'1,'.repeat(499)}2\n`), undefined);
  t.equal(await refusedFor(`a,b\n\n${'1,'.repeat(500)}2\n`), 'too-many-columns:3');
  t.equal(await refusedFor(`a,b\n${'x'.repeat(65_536)},2\n`), undefined);
  t.equal(await refusedFor(`a,b\n1,2\n"${'x'.repeat(65_537)}",2\n`), 'cell-too-long:3');
  const row = (cells: number) => Array(cells).fill('x'.repeat(50_000)).join(',');
  t.equal(await refusedFor(`a,b\n1,2\n${row(20)}\n`), undefined);
  t.equal(await refusedFor(`a,b\n1,2\n${row(21)}\n`), 'row-too-long:3');
  t.equal(await refusedFor(`a,b\n1,2\n"",${row(21)}\n`), 'row-too-long:3');
});

t.test('a single line of 100 MB is refused after little of it', async (t) => {
  const line = Buffer.alloc(100_000_000, 'x,');
  const first = memorySource(line);
  t.equal(await refusal(() => openTable(first, TEXT_MEDIA_TYPE)), 'row-too-long:1');
  t.ok(first.taken < 2_000_000, `${first.taken} bytes`);
  t.equal(first.open, 0, 'and its stream is let go');

  const later = memorySource(Buffer.concat([Buffer.from('a,b\n1,2\n'), line]));
  const table = await openTable(later, TEXT_MEDIA_TYPE);
  const before = later.taken;
  t.equal(await refusal(() => readAll(table)), 'row-too-long:3');
  t.ok(later.taken - before < 3_000_000, `${later.taken - before} bytes`);
  t.equal(later.open, 0);
});

t.test('a reader that stops lets the stream go', async (t) => {
  const source = memorySource(Buffer.from(`a,b\n${'1,2\n'.repeat(500_000)}`));
  const table = await openTable(source, TEXT_MEDIA_TYPE);
  for await (const piece of table.pieces(table.description.first)) {
    t.ok(piece.rows.length > 0);
    break;
  }
  t.equal(source.open, 0);
});

t.test('pieces stay small when all of the bytes come at once', async (t) => {
  const { sizes } = await readAll(await open(`a,b\n${'1,2\n'.repeat(1_000_000)}`, [10_000_000]));
  t.ok(Math.max(...sizes) < 100_000, `${Math.max(...sizes)} rows`);
});

t.test('a source that ends early is not the end of the file', async (t) => {
  const whole = memorySource(Buffer.from('a,b\n1,2\n'));
  const short = { bytes: 100, read: whole.read };
  const description = (await open('a,b\n1,2\n')).description;
  await t.rejects(readAll(await openTable(short, TEXT_MEDIA_TYPE, description)), {
    code: 'TETHER_UPLOAD_SOURCE_ENDED',
    retryable: true,
  });
});

t.test('trailing blank lines are told as progress, without rows', async (t) => {
  const text = `a\n1\n${'\n'.repeat(600_000)}`;
  const { rows, nexts, sizes } = await readAll(await open(text));
  t.equal(rows.length, 1);
  t.strictSame(sizes, [1, 0]);
  t.strictSame(nexts.at(-1), { byte: text.length, line: 600_003 });
});

/** A cell as it stands in the file, and what it means. */
interface Cell {
  readonly raw: string;
  readonly value: string;
}

const DELIMITERS = [',', ';', '\t', '|'] as const;
const plainText = fc
  .array(fc.constantFrom('a', 'B', '7', ' ', 'é', '€', '\ufeff', "'", 'O"B'), { maxLength: 6 })
  .map((parts) => parts.join(''));
const plain = plainText.map((text): Cell => ({ raw: text, value: text }));
const literal = fc
  .tuple(plainText, fc.constantFrom('b', '7c'))
  .map(([text, tail]) => text.replaceAll('"', '') + tail)
  .map((text): Cell => ({ raw: `"${text}"${text}`, value: `"${text}"${text}` }))
  .filter(({ raw }) => !raw.includes('" '));
const quoted = fc
  .tuple(
    fc.array(fc.constantFrom('x', '"', ',', ';', '\t', '|', '\n', '\r', '\r\n', 'é', ' '), { maxLength: 6 }),
    fc.constantFrom('', '', '  '),
  )
  .map(([parts, spaces]): Cell => {
    const value = parts.join('');
    return { raw: `"${value.replaceAll('"', '""')}"${spaces}`, value };
  });
const cell = fc.oneof(
  { weight: 4, arbitrary: plain },
  { weight: 2, arbitrary: quoted },
  { weight: 1, arbitrary: literal },
);
const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const table = fc.record({
  rows: fc.array(fc.record({ cells: fc.array(cell, { minLength: 1, maxLength: 4 }), end: lineEnd }), {
    maxLength: 12,
  }),
  oneEnd: fc.option(lineEnd),
  endsWithLineEnd: fc.boolean(),
  delimiter: fc.constantFrom(...DELIMITERS),
  encoding: fc.constantFrom<Encoding>('utf-8', 'windows-1252', 'utf-16le', 'utf-16be'),
  chunkBytes: fc.integer({ min: 1, max: 60 }),
  sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
});

const lineEndsOf = (text: string) => text.match(/\r\n|\n|\r/g)?.length ?? 0;

function encode(text: string, encoding: Encoding): Buffer {
  if (encoding === 'utf-8') return Buffer.from(text);
  if (encoding === 'windows-1252') return Buffer.from(text.replaceAll('€', '\x80'), 'latin1');
  const little = Buffer.from(text, 'utf16le');
  return encoding === 'utf-16le' ? little : little.swap16();
}

t.test('random tables are read as they were written, from every place where a piece ended', async (t) => {
  const seed = testSeed(t);
  await fc.assert(
    fc.asyncProperty(
      table,
      async ({ rows, oneEnd, endsWithLineEnd, delimiter, encoding, chunkBytes, sizes }) => {
        let text = '';
        const expected: { line: number; cells: string[] }[] = [];
        rows.forEach(({ cells, end }, index) => {
          const known = cells.map(({ raw, value }) =>
            encoding === 'windows-1252'
              ? { raw: raw.replaceAll('\ufeff', ''), value: value.replaceAll('\ufeff', '') }
              : { raw, value },
          );
          const values = known.map(({ value }) => value);
          if (values.some((value) => value.trim() !== ''))
            expected.push({ line: lineEndsOf(text) + 1, cells: values });
          const raw = known.map(({ raw }) => raw).join(delimiter);
          // A LF right behind a CR would be of the same line end.
          const wanted = oneEnd ?? end;
          const ending = raw === '' && text.endsWith('\r') && wanted === '\n' ? '\r' : wanted;
          text += raw + (index === rows.length - 1 && !endsWithLineEnd ? '' : ending);
        });
        const mark = encode(encoding === 'windows-1252' ? '' : '\ufeff', encoding);
        const source = memorySource(Buffer.concat([mark, encode(text, encoding)]), sizes);
        const description: TableDescription = {
          format: { kind: 'text', encoding, delimiter },
          header: [],
          first: { byte: mark.length, line: 1 },
        };
        if (description.format.kind !== 'text') return;
        const file = new TextFile(source, description, description.format, chunkBytes);
        const read = await readAll(file);
        t.strictSame(read.rows, expected, 'the rows');
        t.ok(read.sizes.slice(0, -1).every((size) => size > 0));
        for (const [index, next] of read.nexts.entries()) {
          const done = read.sizes.slice(0, index + 1).reduce((sum, size) => sum + size, 0);
          // Chunks of another size, as another process may have.
          const again = new TextFile(source, description, description.format, chunkBytes + 13);
          t.strictSame((await readAll(again, next)).rows, expected.slice(done), 'the rest');
        }
        t.equal(source.open, 0);
      },
    ),
    { seed, numRuns: 500 },
  );
});

t.test('any text is read or refused in the same way, however it is cut', async (t) => {
  const seed = testSeed(t);
  const soup = fc.array(fc.constantFrom('"', '"', ',', '\n', '\r', '\r\n', ' ', 'a', '""', 'é'), {
    maxLength: 30,
  });
  const outcome = async (bytes: Buffer, chunkBytes: number) => {
    const format = { kind: 'text', encoding: 'utf-8', delimiter: ',' } as const;
    const description = { format, header: [], first: { byte: 0, line: 1 } };
    const source = memorySource(bytes, [chunkBytes]);
    const read: { rows?: unknown } = {};
    const refused = await refusal(async () => {
      read.rows = (await readAll(new TextFile(source, description, format, chunkBytes))).rows;
    });
    return { refused, ...read };
  };
  await fc.assert(
    fc.asyncProperty(soup, fc.integer({ min: 1, max: 6 }), async (parts, chunkBytes) => {
      const bytes = Buffer.from(parts.join(''));
      t.strictSame(await outcome(bytes, chunkBytes), await outcome(bytes, 100_000));
    }),
    { seed, numRuns: 1_000 },
  );
});
