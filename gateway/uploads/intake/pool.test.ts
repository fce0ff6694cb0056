import { randomBytes } from 'node:crypto';
import t from 'tap';
import { TEXT_MEDIA_TYPE } from '../../../actors/upload/model.js';
import { until } from '../../../runtime/testing/until.js';
import { PART_BYTES } from '../../../storage/objects/object-store.js';
import { type IntakeJob, WINDOW_BYTES } from './intake.js';
import { KEY, LIMITS, MIB, picture, send, sha256, startTestIntake, text } from './test/start.js';

const raw = (more: Partial<IntakeJob & { kind: 'raw' }> = {}): IntakeJob => ({
  kind: 'raw',
  objectKey: KEY,
  limits: LIMITS,
  ...more,
});

t.test('a body becomes an object, with its hash and what it is', async (t) => {
  const { pool, left, read } = await startTestIntake(t);
  for (const bytes of [1, 5000, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 30 * MIB + 7]) {
    const file = text(bytes);
    const stream = pool.open(raw());
    await send(stream, file);
    stream.end();
    t.strictSame(
      await stream.result,
      { outcome: 'stored', bytes, sha256: sha256(file), mediaType: TEXT_MEDIA_TYPE },
      `${bytes} bytes`,
    );
    t.ok((await read(KEY)).equals(file), 'as it was');
  }
  t.strictSame(await left(), { objects: [KEY], multiparts: 0 });
  t.equal(pool.active, 0);
});

t.test('what is refused leaves nothing', async (t) => {
  const { pool, left } = await startTestIntake(t);
  const png = picture(9 * MIB);
  const xlsx = Buffer.concat([Buffer.from('504b0304', 'hex'), randomBytes(9 * MIB)]);
  const cases: readonly [string, Buffer, string, Partial<IntakeJob & { kind: 'raw' }>?][] = [
    ['a picture', png, 'not-a-table'],
    ['a small picture', png.subarray(0, 40), 'not-a-table'],
    ['nothing', Buffer.alloc(0), 'empty'],
    ['too much text', text(41 * MIB), 'too-large'],
    ['too large a workbook', xlsx, 'too-large'],
    ['another file than announced', text(9 * MIB), 'wrong-checksum', { sha256: 'ab'.repeat(32) }],
  ];
  for (const [what, file, code, more] of cases) {
    const stream = pool.open(raw(more));
    await send(stream, file);
    stream.end();
    t.match(await stream.result, { outcome: 'refused', code }, what);
    t.strictSame(await left(), { objects: [], multiparts: 0 }, `${what} leaves nothing`);
  }
  const right = pool.open(raw({ sha256: sha256(png.subarray(0, 0)) }));
  right.end();
  t.match(await right.result, { code: 'empty' });
});

t.test('a client that leaves leaves nothing', async (t) => {
  const { pool, left } = await startTestIntake(t);
  for (const bytes of [0, 100, 20 * MIB]) {
    const stream = pool.open(raw());
    await send(stream, text(bytes));
    stream.abort();
    await t.rejects(stream.result, { code: 'TETHER_INTAKE_ABORTED' }, `${bytes} bytes`);
    t.strictSame(await left(), { objects: [], multiparts: 0 });
  }
});

t.test('no more than a window is between the threads', async (t) => {
  const { pool } = await startTestIntake(t);
  const stream = pool.open(raw());
  const chunk = () => Buffer.alloc(100_000, 'x');
  let written = 0;
  let room = true;
  // Within one turn the thread can take nothing.
  while (room && written < 4 * WINDOW_BYTES) {
    room = stream.write(chunk());
    written += 100_000;
  }
  t.equal(room, false);
  t.ok(written < WINDOW_BYTES + 100_000, `${written} bytes`);
  await new Promise<void>((resolve) => {
    stream.onRoom = resolve;
  });
  stream.abort();
  await t.rejects(stream.result);
  t.equal(stream.write(chunk()), true, 'over: whatever comes is thrown away');
});

t.test('there are as many streams as may be, and no more', async (t) => {
  const { pool, workers } = await startTestIntake(t, { activeMax: 3, threads: 2 });
  const streams = [pool.open(raw()), pool.open(raw()), pool.open(raw())];
  t.throws(() => pool.open(raw()), { code: 'TETHER_INTAKE_BUSY', retryable: true });
  t.equal(pool.active, 3);
  for (const stream of streams) stream.abort();
  await Promise.allSettled(streams.map(({ result }) => result));
  await until('the streams are forgotten', () => pool.active === 0);
  t.equal(workers.length, 2);
});

t.test('a thread that ends takes its streams with it, and there is a fresh one', async (t) => {
  const { pool, workers, left } = await startTestIntake(t);
  const first = pool.open(raw());
  const second = pool.open(raw());
  await send(first, text(20 * MIB));
  await until('a part is on its way', async () => (await left()).multiparts > 0);
  await workers[0]?.terminate();
  await t.rejects(first.result, { code: 'TETHER_INTAKE_LOST' });
  await t.rejects(second.result, { code: 'TETHER_INTAKE_LOST' });
  t.equal((await left()).multiparts, 1, 'for the sweeper');
  const next = pool.open(raw({ objectKey: 'uploads/two' }));
  await send(next, text(100));
  next.end();
  t.match(await next.result, { outcome: 'stored', bytes: 100 });
  t.equal(workers.length, 2);
});

t.test('the end waits for what is under way, and not for ever', async (t) => {
  const { pool } = await startTestIntake(t);
  const good = pool.open(raw());
  await send(good, text(10 * MIB));
  const closing = pool.close(5_000);
  t.throws(() => pool.open(raw()), { code: 'TETHER_INTAKE_BUSY' });
  good.end();
  await closing;
  t.match(await good.result, { outcome: 'stored' });

  const other = await startTestIntake(t);
  const stuck = other.pool.open(raw());
  await send(stuck, text(100));
  await other.pool.close(50);
  await t.rejects(stuck.result, { code: 'TETHER_INTAKE_LOST' });
});

t.test('each of the streams has room for a part that it is slow to fill', async (t) => {
  const { pool } = await startTestIntake(t, { activeMax: 16 });
  const file = text(5 * MIB - 1);
  let taken = 0;
  const streams = Array.from({ length: 16 }, (_, index) =>
    pool.open(raw({ objectKey: `uploads/n${index}` })),
  );
  // Resolves when all but a part of the window has been taken.
  for (const stream of streams) void send(stream, file).then(() => taken++);
  await until('every one has taken it', () => taken === streams.length);
  for (const stream of streams) stream.abort();
  for (const stream of streams) await t.rejects(stream.result, { code: 'TETHER_INTAKE_ABORTED' });
});
