import t from 'tap';
import { TEXT_MEDIA_TYPE } from '../../../actors/upload/model.js';
import type { IntakeJob } from './intake.js';
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

const inspect = (objectKey = KEY): IntakeJob => ({ kind: 'inspect', objectKey, limits: LIMITS });
const concatenate = (...sources: readonly string[]): IntakeJob => ({
  kind: 'concatenate',
  objectKey: KEY,
  limits: LIMITS,
  sources,
});

/** An object of any size. */
async function put({ pool }: TestIntake, objectKey: string, bytes: Buffer): Promise<void> {
  const stream = pool.open({
    kind: 'append',
    objectKey,
    limits: LIMITS,
    from: { received: 0, parts: [], tailBytes: 0 },
    length: bytes.length,
    partial: true,
  });
  await send(stream, bytes);
  stream.end();
  await stream.result;
}

t.test('an object that is there is looked at', async (t) => {
  const intake = await startTestIntake(t);
  const file = text(20 * MIB);
  await put(intake, KEY, file);
  t.strictSame(await intake.pool.open(inspect()).result, {
    outcome: 'stored',
    bytes: file.length,
    sha256: sha256(file),
    mediaType: TEXT_MEDIA_TYPE,
  });
  t.strictSame(await intake.left(), { objects: [KEY], multiparts: 0 });
  await t.rejects(intake.pool.open(inspect('uploads/none')).result, { code: 'TETHER_OBJECT_NOT_FOUND' });
  const given = intake.pool.open(inspect());
  given.abort();
  await t.rejects(given.result, { code: 'TETHER_INTAKE_ABORTED' });
  t.strictSame((await intake.left()).objects, [KEY], 'given up, it stays');
});

t.test('an object that is refused is gone', async (t) => {
  const intake = await startTestIntake(t);
  const cases: Readonly<Record<string, Buffer>> = {
    'not-a-table': picture(MIB),
    empty: Buffer.alloc(0),
    'too-large': text(LIMITS.textBytesMax + 1),
  };
  for (const [code, bytes] of Object.entries(cases)) {
    await intake.store.delete(KEY);
    if (code === 'too-large') {
      const multipart = await intake.store.beginMultipart(KEY);
      const parts = [];
      for (let start = 0; start < bytes.length; start += 8 * MIB) {
        const piece = bytes.subarray(start, start + 8 * MIB);
        parts.push(await intake.store.putPart(KEY, multipart, parts.length + 1, piece));
      }
      await intake.store.completeMultipart(KEY, multipart, parts);
    } else {
      await intake.store.put(KEY, bytes);
    }
    t.match(await intake.pool.open(inspect()).result, { outcome: 'refused', code });
    t.strictSame(await intake.left(), { objects: [], multiparts: 0 }, code);
  }
});

t.test('objects are written one behind the other', async (t) => {
  const intake = await startTestIntake(t);
  const pieces = [text(9 * MIB), text(0), text(3), text(12 * MIB)];
  for (const [index, piece] of pieces.entries()) await put(intake, `uploads/p${index}`, piece);
  const file = Buffer.concat(pieces);
  const keys = pieces.map((_, index) => `uploads/p${index}`);
  t.strictSame(await intake.pool.open(concatenate(...keys)).result, {
    outcome: 'stored',
    bytes: file.length,
    sha256: sha256(file),
    mediaType: TEXT_MEDIA_TYPE,
  });
  t.ok((await intake.read(KEY)).equals(file));
  t.strictSame(await intake.left(), { objects: [KEY, ...keys], multiparts: 0 }, 'the sources stay');

  await intake.store.delete(KEY);
  await put(intake, 'uploads/png', picture(9 * MIB));
  t.match(await intake.pool.open(concatenate('uploads/png', 'uploads/p0')).result, { code: 'not-a-table' });
  t.match(await intake.pool.open(concatenate('uploads/p1')).result, { code: 'empty' });
  await t.rejects(intake.pool.open(concatenate('uploads/p0', 'uploads/none')).result, {
    code: 'TETHER_OBJECT_NOT_FOUND',
  });
  t.notOk((await intake.left()).objects.includes(KEY));
  t.equal((await intake.left()).multiparts, 0);
});
