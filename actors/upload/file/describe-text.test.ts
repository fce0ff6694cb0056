import t from 'tap';
import { describeText } from './describe-text.js';
import { refusal } from './test/read-all.js';
import { memorySource } from './test/sources.js';

const describe = (text: string | Buffer) => describeText(memorySource(Buffer.from(text as string), [1000]));
const delimiterOf = async (text: string) => {
  const { format } = await describe(text);
  return format.kind === 'text' ? format.delimiter : undefined;
};
const encodingOf = async (text: string | Buffer) => {
  const { format } = await describe(text);
  return format.kind === 'text' ? format.encoding : undefined;
};

t.test('the header is the first row with text, and rows begin behind it', async (t) => {
  t.strictSame(await describe('\ufeff\r\n \r\n;;\r\n"IBAN\r\nnumber";amount\r\nX;1'), {
    format: { kind: 'text', encoding: 'utf-8', delimiter: ';' },
    header: ['IBAN\r\nnumber', 'amount'],
    first: { byte: 35, line: 6 },
  });
  t.strictSame(await describe(Buffer.from('\ufeffa\tb\n', 'utf16le')), {
    format: { kind: 'text', encoding: 'utf-16le', delimiter: '\t' },
    header: ['a', 'b'],
    first: { byte: 10, line: 2 },
  });
});

t.test('a description survives a table', async (t) => {
  const description = await describe('a|b\n1|2\n');
  t.strictSame(JSON.parse(JSON.stringify(description)), description);
});

t.test('delimiters', async (t) => {
  t.equal(await delimiterOf('iban,amount\nX,1\n'), ',');
  t.equal(await delimiterOf('iban;amount\nX;1\n'), ';');
  t.equal(await delimiterOf('iban\tamount\nX\t1\n'), '\t');
  t.equal(await delimiterOf('iban|amount\nX|1\n'), '|');
  t.equal(await delimiterOf('iban;amount\nX;1,50\nY;2,50\n'), ';', 'decimal commas');
  t.equal(await delimiterOf('iban;amount, EUR\nX;1,50\nY;2,50\n'), ';', 'in the header as well');
  t.equal(await delimiterOf('iban;name, address;amount\nX;A, B, C;1,50\nY;D;2\n'), ';', 'commas in text');
  t.equal(await delimiterOf('"a;b;c",d\n"e;f;g",h\n'), ',', 'not those within quotes');
  t.equal(await delimiterOf('iban\nX\nY\n'), ',', 'one column');
  t.equal(await delimiterOf('iban,name|alias,amount\nX,A|B,1\n'), ',');
  t.equal(await delimiterOf('iban,amount'), ',', 'a header alone');
});

t.test('a row that is refused later does not hide the delimiter', async (t) => {
  t.equal(await delimiterOf('iban,amount\nX,1\n"Y,2\n'), ',');
});

t.test('encodings', async (t) => {
  const accent = Buffer.from('Jos\xe9,1\n', 'latin1');
  const ascii = Buffer.from('name,amount\n'.repeat(100_000));
  t.equal(await encodingOf('name\nJosé\n'), 'utf-8');
  t.equal(await encodingOf('name\nJose\n'), 'utf-8');
  t.equal(await encodingOf(Buffer.concat([Buffer.from('name,amount\n'), accent])), 'windows-1252');
  t.equal(
    await encodingOf(Buffer.concat([Buffer.from('\ufeffname,amount\n'), accent])),
    'utf-8',
    'a mark decides',
  );
  t.equal(await encodingOf(Buffer.concat([ascii, accent])), 'windows-1252', 'the first accent is far down');
  const split = Buffer.from(`${'é,'.repeat(3)}\n`.repeat(30_000));
  t.equal(await encodingOf(split), 'utf-8', 'where a chunk or the sample ends within a character');
});

t.test('it reads no further than it has to', async (t) => {
  const source = memorySource(Buffer.from(`é,b\n${'1,2\n'.repeat(5_000_000)}`));
  await describeText(source);
  t.ok(source.taken < 1_000_000, `${source.taken} bytes`);
  t.equal(source.open, 0);
  const ascii = memorySource(Buffer.from(`a,b\n${'1,2\n'.repeat(6_000_000)}`));
  await describeText(ascii);
  t.ok(ascii.taken < 17_500_000, `${ascii.taken} bytes`);
});

t.test('what has no row is refused', async (t) => {
  for (const text of ['', '\ufeff', '\n\r\n  \n', ',,,\n"",""\n']) {
    t.equal(await refusal(() => describe(text)), 'empty', JSON.stringify(text));
  }
  t.equal(await refusal(() => describe(`${'\n'.repeat(300_000)}a,b\n`)), 'empty');
  t.equal(await refusal(() => describe('\n"a,b\n')), 'unclosed-quote:2');
});
