import t from 'tap';
import { METADATA_KEYS_MAX, METADATA_LENGTH_MAX, readMetadata } from './metadata.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const named = (name: string) => readMetadata(`filename ${base64(name)}`).filename;
const REFUSED = { code: 'TETHER_REQUEST_REFUSED', answer: { status: /^400 / } };

t.test('it is kept as it came, and names the file', async (t) => {
  const text = `filename ${base64('debtors.csv')},is_confidential,note ${base64('')}`;
  t.strictSame(readMetadata(text), { text, filename: 'debtors.csv' });
  t.equal(readMetadata(`name ${base64('b.csv')}`).filename, 'b.csv', 'as some clients call it');
  t.equal(readMetadata(`name ${base64('b.csv')},filename ${base64('a.csv')}`).filename, 'a.csv');
  t.strictSame(readMetadata(undefined), { text: '', filename: 'upload' });
  t.strictSame(readMetadata(''), { text: '', filename: 'upload' });
  t.equal(readMetadata('filename ').filename, 'upload', 'a value may be empty');
});

t.test('a name is made harmless', async (t) => {
  t.equal(named('../../etc/passwd'), 'passwd');
  t.equal(named('C:\\temp\\a.csv'), 'a.csv');
  t.equal(named('a\u0000.csv'), 'a.csv');
  t.equal(named('a\r\nSet-Cookie: x.csv'), 'aSet-Cookie: x.csv');
  t.equal(named('vsc.\u202Efdp'), 'vsc.fdp', 'the direction of writing is left alone');
  t.equal([...named(`${'x'.repeat(1000)}.csv`)].length, 200);
  t.equal(readMetadata(`filename ${Buffer.from([0xff, 0xfe]).toString('base64')}`).filename, '\uFFFD\uFFFD');
});

t.test('what is not to the letter is refused', async (t) => {
  const wrong = [
    'filename YQ',
    'filename YQ=',
    'filename Y!==',
    'filename YQ== x',
    'filename  YQ==',
    ' ,',
    ',',
    'a,',
    'a,,b',
    'a,a',
    'a YQ==,b,a YQ==',
    'sch\u00F6n YQ==',
    'a\u0000 YQ==',
    'a\tb YQ==',
    'a\u007F',
  ];
  for (const each of wrong) t.throws(() => readMetadata(each), REFUSED, JSON.stringify(each));
});

t.test('it has a limit', async (t) => {
  const keys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`).join(',');
  t.ok(readMetadata(keys(METADATA_KEYS_MAX)));
  t.throws(() => readMetadata(keys(METADATA_KEYS_MAX + 1)), REFUSED);
  t.throws(() => readMetadata('k'.repeat(METADATA_LENGTH_MAX + 1)), REFUSED);
  t.ok(readMetadata('__proto__ YQ==,constructor,toString YQ=='), 'keys are no properties');
});
