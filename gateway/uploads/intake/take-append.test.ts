import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { TEXT_MEDIA_TYPE } from '../../../actors/upload/model.js';
import { testSeed } from '../../../runtime/testing/seed.js';
import { until } from '../../../runtime/testing/until.js';
import { PART_BYTES, PART_BYTES_MIN } from '../../../storage/objects/object-store.js';
import { seededRandom } from '../../test/seed.js';
import type { AppendState, IntakeJob, IntakeResult } from './intake.js';
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

type AppendJob = IntakeJob & { readonly kind: 'append' };

const NOTHING: AppendState = { received: 0, parts: [], tailBytes: 0 };

const job = (from: AppendState, more: Partial<AppendJob> = {}): AppendJob => ({
  kind: 'append',
  objectKey: KEY,
  limits: LIMITS,
  from,
  partial: false,
  ...more,
});

/** @param cut the client leaves at the end of `bytes` */
async function append(
  { pool }: TestIntake,
  from: AppendState,
  bytes: Buffer,
  { cut = false, ...more }: Partial<AppendJob> & { readonly cut?: boolean } = {},
): Promise<IntakeResult> {
  const stream = pool.open(job(from, more));
  await send(stream, bytes);
  if (cut) stream.abort();
  else stream.end();
  return stream.result;
}

function stateOf(t: Test, result: IntakeResult): AppendState {
  t.equal(result.outcome, 'appended');
  return result.outcome === 'appended' ? result.state : NOTHING;
}

t.test('a writer that was taken for dead and is alive harms nothing that is acknowledged', async (t) => {
  const intake = await startTestIntake(t);
  const [first, second, third] = [text(6 * MIB), text(6 * MIB), text(100)];
  const before = stateOf(t, await append(intake, NOTHING, first));
  const late = intake.pool.open(job(before));
  await send(late, text(7 * MIB));
  const state = stateOf(t, await append(intake, before, second, { overtakes: true }));
  t.equal(state.parts.length, 2);
  // It puts what it has, into the same multipart.
  late.abort();
  t.equal(stateOf(t, await late.result).parts.length, 2);
  const file = Buffer.concat([first, second, third]);
  t.match(await append(intake, state, third, { length: file.length }), {
    outcome: 'stored',
    sha256: sha256(file),
  });
  t.ok((await intake.read(KEY)).equals(file));
});

t.test('pieces of any length become the file', async (t) => {
  const intake = await startTestIntake(t);
  const random = seededRandom(testSeed(t));
  for (let round = 0; round < 6; round++) {
    const sizes = Array.from({ length: 1 + Math.floor(random() * 6) }, () =>
      Math.floor(random() < 0.5 ? random() * 200_000 : random() * 14 * MIB),
    );
    const pieces = sizes.map((size) => text(size));
    const file = Buffer.concat(pieces);
    if (file.length === 0 || file.length > LIMITS.textBytesMax) continue;
    let state = NOTHING;
    let result: IntakeResult | undefined;
    for (const [index, piece] of pieces.entries()) {
      const isLast = index === pieces.length - 1;
      result = await append(intake, state, piece, {
        cut: !isLast && random() < 0.5,
        ...(isLast || random() < 0.5 ? { length: file.length } : {}),
      });
      if (result.outcome !== 'appended') break;
      const { tailKey } = state;
      state = result.state;
      t.ok(
        state.parts.every(({ bytes }) => bytes >= PART_BYTES_MIN && bytes <= PART_BYTES),
        'parts are large enough',
      );
      if (tailKey !== undefined && tailKey !== state.tailKey) await intake.store.delete(tailKey);
    }
    t.strictSame(
      result,
      { outcome: 'stored', bytes: file.length, sha256: sha256(file), mediaType: TEXT_MEDIA_TYPE },
      `pieces of ${sizes.join(', ')} bytes`,
    );
    t.ok((await intake.read(KEY)).equals(file));
    if (state.tailKey !== undefined) await intake.store.delete(state.tailKey);
    t.strictSame(await intake.left(), { objects: [KEY], multiparts: 0 });
    await intake.store.delete(KEY);
  }
});

t.test('until the caller has written a state down, the one before it holds', async (t) => {
  const intake = await startTestIntake(t);
  const file = text(30 * MIB);
  const first = stateOf(t, await append(intake, NOTHING, file.subarray(0, 10 * MIB)));
  // Its state is lost, as by a crash, and the client sends the same again, and more.
  await append(intake, first, file.subarray(10 * MIB, 22 * MIB));
  const again = stateOf(t, await append(intake, first, file.subarray(10 * MIB, 25 * MIB), { cut: true }));
  t.equal(again.received, 25 * MIB);
  const result = await append(intake, again, file.subarray(25 * MIB), { length: file.length });
  t.match(result, { outcome: 'stored', sha256: sha256(file) });
  t.ok((await intake.read(KEY)).equals(file));

  // The last state is lost too: the object is whole, whatever comes now.
  t.strictSame(await append(intake, again, text(100), { length: file.length }), result, 'found again');
});

t.test('a body that does not come to its checksum is not kept', async (t) => {
  const intake = await startTestIntake(t);
  const file = text(20 * MIB);
  const before = stateOf(t, await append(intake, NOTHING, file.subarray(0, 6 * MIB)));
  const left = await intake.left();
  const body = file.subarray(6 * MIB, 16 * MIB);
  for (const algorithm of ['sha1', 'sha256', 'md5'] as const) {
    const digest = createHash(algorithm).update(body).digest('hex');
    const wrong = await append(intake, before, body, { checksum: { algorithm, digest: 'ab' } });
    t.match(wrong, { outcome: 'refused', code: 'wrong-checksum' }, algorithm);
    t.strictSame(await intake.left(), left);
    const cut = await append(intake, before, body, { checksum: { algorithm, digest }, cut: true });
    t.strictSame(cut, { outcome: 'appended', state: before }, 'nobody can check what is not whole');
    const right = await append(intake, before, body, { checksum: { algorithm, digest } });
    t.match(right, { outcome: 'appended', state: { received: 16 * MIB } });
    const tailKey = stateOf(t, right).tailKey ?? '';
    await intake.store.delete(tailKey);
  }
  const first = await append(intake, NOTHING, text(20 * MIB), {
    objectKey: 'uploads/two',
    checksum: { algorithm: 'md5', digest: 'ab' },
  });
  t.match(first, { code: 'wrong-checksum' });
  t.strictSame(await intake.left(), left, 'of a first body there is no multipart either');
});

t.test('what is durable is told while the bytes come, and a crash loses only what came since', async (t) => {
  const intake = await startTestIntake(t);
  const file = text(35 * MIB);
  const stream = intake.pool.open(job(NOTHING, { length: file.length }));
  t.equal(stream.checkpoint, undefined);
  await send(stream, file.subarray(0, 27 * MIB));
  await until('three parts are durable', () => stream.checkpoint?.received === 3 * PART_BYTES);
  await intake.workers[0]?.terminate();
  await t.rejects(stream.result, { code: 'TETHER_INTAKE_LOST' });
  const { checkpoint = NOTHING } = stream;
  t.equal(checkpoint.parts.length, 3);
  const rest = await append(intake, checkpoint, file.subarray(checkpoint.received), { length: file.length });
  t.match(rest, { outcome: 'stored', sha256: sha256(file) });
  t.ok((await intake.read(KEY)).equals(file));

  const checked = intake.pool.open(
    job(NOTHING, { objectKey: 'uploads/c', checksum: { algorithm: 'md5', digest: '' } }),
  );
  await send(checked, file);
  checked.end();
  await checked.result;
  t.equal(checked.checkpoint, undefined, 'with a checksum nothing counts before its end');
});

t.test('more than was announced is refused, and the upload stays', async (t) => {
  const intake = await startTestIntake(t);
  const file = text(1000);
  const before = stateOf(t, await append(intake, NOTHING, file.subarray(0, 500), { length: 1000 }));
  t.match(await append(intake, before, text(501), { length: 1000 }), {
    outcome: 'refused',
    code: 'too-long',
  });
  t.match(await append(intake, before, file.subarray(500), { length: 1000 }), {
    outcome: 'stored',
    sha256: sha256(file),
  });
});

t.test('what is no table, too large or empty is removed as a whole', async (t) => {
  const intake = await startTestIntake(t);
  const png = picture(20 * MIB);
  t.match(await append(intake, NOTHING, png), { code: 'not-a-table' }, 'by its first bytes');
  t.strictSame(await intake.left(), { objects: [], multiparts: 0 });

  const few = stateOf(t, await append(intake, NOTHING, png.subarray(0, 10)));
  t.match(await append(intake, few, png.subarray(10)), { code: 'not-a-table' }, 'in two requests');
  t.strictSame(
    await intake.left(),
    { objects: [few.tailKey], multiparts: 0 },
    'the old tail is the caller’s',
  );
  await intake.store.delete(few.tailKey ?? '');

  const large = stateOf(t, await append(intake, NOTHING, text(36 * MIB)));
  t.match(await append(intake, large, text(5 * MIB)), { code: 'too-large' });
  await intake.store.delete(large.tailKey ?? '');
  t.strictSame(await intake.left(), { objects: [], multiparts: 0 });

  t.match(await append(intake, NOTHING, Buffer.alloc(0), { length: 0 }), { code: 'empty' });
  t.strictSame(await append(intake, NOTHING, Buffer.alloc(0)), { outcome: 'appended', state: NOTHING });
});

t.test('what only the end tells is looked at in the whole object', async (t) => {
  const intake = await startTestIntake(t);
  // A workbook by its beginning, which no later request sees.
  const zip = Buffer.concat([Buffer.from('504b0304', 'hex'), picture(900_000)]);
  const first = stateOf(
    t,
    await append(intake, NOTHING, zip, { limits: { textBytesMax: 1, xlsxBytesMax: 40 * MIB } }),
  );
  const bytes = Buffer.concat([picture(PART_BYTES), picture(100)]);
  const second = stateOf(
    t,
    await append(intake, first, bytes, { limits: { textBytesMax: 1, xlsxBytesMax: 40 * MIB } }),
  );
  t.ok(second.parts.length > 0);
  const length = zip.length + bytes.length;
  const result = await append(intake, second, Buffer.alloc(0), { length });
  t.match(result, { outcome: 'refused', code: 'too-large' }, 'a workbook of more than a workbook may have');
  t.strictSame((await intake.left()).multiparts, 0);
  t.notOk((await intake.left()).objects.includes(KEY));
});

t.test('a part of a concatenation may look like anything', async (t) => {
  const intake = await startTestIntake(t);
  const png = picture(100);
  t.strictSame(await append(intake, NOTHING, png, { partial: true, length: 100 }), {
    outcome: 'stored',
    bytes: 100,
    sha256: sha256(png),
    mediaType: undefined,
  });
  t.match(await append(intake, NOTHING, Buffer.alloc(0), { partial: true, length: 0 }), {
    outcome: 'stored',
    bytes: 0,
  });
});
