import t, { type Test } from 'tap';
import { TEXT_MEDIA_TYPE } from '../../../actors/upload/model.js';
import { testSeed } from '../../../runtime/testing/seed.js';
import { seededRandom } from '../../test/seed.js';
import type { IntakeJob, IntakeResult } from './intake.js';
import {
  KEY,
  LIMITS,
  MIB,
  picture,
  send,
  sha256,
  startTestIntake,
  type TestIntake,
  text,
} from './test/start.js';

const BOUNDARY = '----tether-7MA4YWxkTrZu0gW';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

type Part = readonly [headers: string, content: string | Buffer];

const file = (content: string | Buffer, name = 'a.csv'): Part => [
  `Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: text/csv`,
  content,
];
const field = (name: string, value: string): Part => [
  `Content-Disposition: form-data; name="${name}"`,
  value,
];

function form(...parts: readonly Part[]): Buffer {
  return Buffer.concat([
    ...parts.flatMap(([headers, content]) => [
      Buffer.from(`--${BOUNDARY}\r\n${headers}\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);
}

async function take(
  { pool }: TestIntake,
  body: Buffer,
  { chunkBytes = 300_000, contentType = TYPE, kind = 'form' as 'form' | 'digest' } = {},
): Promise<IntakeResult> {
  const job: IntakeJob =
    kind === 'form'
      ? { kind, objectKey: KEY, limits: LIMITS, contentType }
      : { kind, limits: LIMITS, contentType };
  const stream = pool.open(job);
  await send(stream, body, chunkBytes);
  stream.end();
  return stream.result;
}

async function nothingIsLeft(t: Test, { left }: TestIntake, what: string): Promise<void> {
  t.strictSame(await left(), { objects: [], multiparts: 0 }, `${what} leaves nothing`);
}

t.test('the file of a form is stored, and its fields are told', async (t) => {
  const intake = await startTestIntake(t);
  const random = seededRandom(testSeed(t));
  for (const bytes of [1, 3000, 20 * MIB]) {
    const content = text(bytes);
    const body = form(field('note', 'grüße'), file(content, 'déjà vu.csv'), field('__proto__', 'x'));
    const chunkBytes = bytes > 100_000 ? 300_000 : 1 + Math.floor(random() * 100);
    const result = await take(intake, body, { chunkBytes });
    t.match(result, {
      outcome: 'stored',
      bytes,
      sha256: sha256(content),
      mediaType: TEXT_MEDIA_TYPE,
      filename: 'déjà vu.csv',
    });
    const { fields = {} } = result.outcome === 'stored' ? result : {};
    t.strictSame(Object.entries(fields).sort(), [
      ['__proto__', 'x'],
      ['note', 'grüße'],
    ]);
    t.ok((await intake.read(KEY)).equals(content), 'byte for byte');
  }
  const around = Buffer.concat([text(MIB), Buffer.from('\r\n'), form(file('a;b\n')), text(MIB)]);
  t.match(await take(intake, around), { outcome: 'stored', bytes: 4 }, 'with something before and behind it');
  t.strictSame(await intake.left(), { objects: [KEY], multiparts: 0 });
});

t.test('names of files come as they were given', async (t) => {
  const intake = await startTestIntake(t);
  const long = `${'n'.repeat(1000)}.csv`;
  for (const name of ['../../etc/passwd', 'C:\\x\\y.csv', 'a\u202Evsc.exe', long, 'nul\0byte.csv', '']) {
    const result = await take(intake, form(file('a;b\n', name)));
    t.match(result, { outcome: 'stored', filename: name }, JSON.stringify(name.slice(0, 20)));
  }
  const encoded = form([
    `Content-Disposition: form-data; name="f"; filename*=UTF-8''na%C3%AFve%20file.csv`,
    'a;b\n',
  ]);
  t.match(await take(intake, encoded), { filename: 'naïve file.csv' });
  const huge = await take(intake, form(file('a;b\n', 'x'.repeat(99_000))));
  t.ok(huge.outcome === 'stored' && (huge.filename?.length ?? 0) < 20_000, 'a huge one is cut');
  const nameless = form([
    'Content-Disposition: form-data; name="f"\r\nContent-Type: application/octet-stream',
    'a;b\n',
  ]);
  const result = await take(intake, nameless);
  t.equal(result.outcome === 'stored' && result.filename, undefined, 'none');
});

t.test('a form that is none is refused', async (t) => {
  const intake = await startTestIntake(t);
  const good = form(file('a;b\n'));
  const many = Array.from({ length: 21 }, (_, i) => field(`f${i}`, 'x'));
  const cases: Readonly<Record<string, readonly [Buffer, string?]>> = {
    'no boundary': [good, 'multipart/form-data'],
    'an empty boundary': [good, 'multipart/form-data; boundary='],
    'a boundary of 300 characters': [good, `multipart/form-data; boundary=${'b'.repeat(300)}`],
    'another boundary': [good, 'multipart/form-data; boundary=other'],
    'not a form': [good, 'multipart/mixed; boundary=x'],
    'no body': [Buffer.alloc(0)],
    'no part': [form()],
    'no file': [form(field('a', 'b'))],
    'two files': [form(file('a;b\n'), file('c;d\n'))],
    'two large files': [form(file(text(9 * MIB)), file(text(9 * MIB)))],
    'too many fields': [form(...many, file('a;b\n'))],
    'too many fields behind': [form(file('a;b\n'), ...many)],
    'a large field': [form(field('a', 'x'.repeat(1025)), file('a;b\n'))],
    'a very large field': [form(file('a;b\n'), field('a', 'x'.repeat(3 * MIB)))],
    'a long name of a field': [form(field('n'.repeat(200), 'x'), file('a;b\n'))],
    'a body that ends early': [good.subarray(0, -8)],
    'a large body that ends early': [form(file(text(20 * MIB))).subarray(0, 19 * MIB)],
    'an end within the headers': [good.subarray(0, 60)],
    'only a preamble': [text(MIB)],
  };
  for (const [what, [body, contentType = TYPE]] of Object.entries(cases)) {
    t.match(await take(intake, body, { contentType }), { outcome: 'refused', code: 'malformed-form' }, what);
    await nothingIsLeft(t, intake, what);
  }
});

t.test('a file in a form has the limits of a file', async (t) => {
  const intake = await startTestIntake(t);
  const cases: Readonly<Record<string, readonly [Buffer, string]>> = {
    empty: [form(file('')), 'empty'],
    'a picture': [form(file(picture(9 * MIB))), 'not-a-table'],
    'a small picture': [form(file(picture(100))), 'not-a-table'],
    'too large': [form(file(text(LIMITS.textBytesMax + 1))), 'too-large'],
    'a preamble without end': [
      Buffer.concat([text(LIMITS.textBytesMax + 2 * MIB), form(file('a;b\n'))]),
      'too-large',
    ],
  };
  for (const [what, [body, code]] of Object.entries(cases)) {
    t.match(await take(intake, body), { outcome: 'refused', code }, what);
    await nothingIsLeft(t, intake, what);
  }
});

t.test('a client that leaves in the middle of a form leaves nothing', async (t) => {
  const intake = await startTestIntake(t);
  const stream = intake.pool.open({ kind: 'form', objectKey: KEY, limits: LIMITS, contentType: TYPE });
  await send(stream, form(file(text(20 * MIB))).subarray(0, 15 * MIB));
  stream.abort();
  await t.rejects(stream.result, { code: 'TETHER_INTAKE_ABORTED' });
  await nothingIsLeft(t, intake, 'it');
});

t.test('what is sent again is only hashed', async (t) => {
  const intake = await startTestIntake(t);
  const content = text(9 * MIB);
  t.strictSame(await take(intake, form(field('a', 'b'), file(content)), { kind: 'digest' }), {
    outcome: 'digested',
    bytes: content.length,
    sha256: sha256(content),
  });
  const stream = intake.pool.open({ kind: 'digest', limits: LIMITS });
  await send(stream, content);
  stream.end();
  t.match(await stream.result, { outcome: 'digested', sha256: sha256(content) }, 'of a raw body');
  await nothingIsLeft(t, intake, 'it');
});

t.test('mutated forms never break a thread', async (t) => {
  const intake = await startTestIntake(t);
  const random = seededRandom(testSeed(t));
  const good = form(field('a', 'b'), file('a;b\n1;2\n'), field('c', 'd'));
  for (let i = 0; i < 300; i++) {
    const body = Buffer.from(good);
    for (let n = 1 + Math.floor(random() * 5); n > 0; n--) {
      body[Math.floor(random() * body.length)] = [13, 10, 45, 34, 0, 59][Math.floor(random() * 6)] ?? 0;
    }
    const end = random() < 0.3 ? Math.floor(random() * body.length) : body.length;
    const result = await take(intake, body.subarray(0, end), { chunkBytes: 1 + Math.floor(random() * 200) });
    if (result.outcome === 'stored') await intake.store.delete(KEY);
    else t.equal(result.outcome, 'refused');
  }
  await nothingIsLeft(t, intake, 'none');
  t.equal(intake.workers.length, 1, 'the thread is the same');
});
