import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { TEXT_MEDIA_TYPE } from '../../../actors/upload/model.js';
import { silentLogger } from '../../../runtime/logger.js';
import { until } from '../../../runtime/testing/until.js';
import { PART_BYTES } from '../../../storage/objects/object-store.js';
import { openObjectStore } from '../../../storage/objects/open.js';
import { type IntakeJob, type IntakeStream, WINDOW_BYTES } from './intake.js';
import { startIntake } from './pool.js';

const LIMITS = { textBytesMax: 40 * 1024 * 1024, xlsxBytesMax: 1024 * 1024 };
const KEY = 'uploads/one';
const MIB = 1024 * 1024;

async function start(t: Test, { activeMax = 16, threads = 1 } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'tether-intake-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const store = openObjectStore({ driver: 'folder', directory });
  await store.prepare();
  t.teardown(() => store.close());
  const workers: Worker[] = [];
  const seen = (worker: Worker) => void workers.push(worker);
  process.on('worker', seen);
  t.teardown(() => process.off('worker', seen));
  const pool = startIntake({
    threads,
    activeMax,
    objects: { driver: 'folder', directory },
    logger: silentLogger,
  });
  t.teardown(() => pool.close(1_000));
  const left = async () => ({
    objects: (await store.list('', { limit: 1_000 })).map(({ key }) => key),
    multiparts: (await store.listMultiparts('', 1_000)).length,
  });
  const read = async (key: string) => Buffer.concat(await (await store.read(key)).toArray());
  return { pool, store, workers, left, read };
}

/** Text of exactly so many bytes. */
function text(bytes: number): Buffer {
  const lines = randomBytes(Math.ceil(bytes / 2) + 1)
    .toString('hex')
    .slice(0, bytes);
  return Buffer.from(lines.replace(/.{64}/g, (line) => `${line.slice(1)}\n`));
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Writes with regard to credit. */
async function send(stream: IntakeStream, bytes: Buffer, chunkBytes = 300_000): Promise<void> {
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, bytes.length - start));
    bytes.copy(chunk, 0, start);
    if (!stream.write(chunk)) {
      await new Promise<void>((resolve) => {
        stream.onRoom = resolve;
      });
    }
  }
}

const raw = (more: Partial<IntakeJob & { kind: 'raw' }> = {}): IntakeJob => ({
  kind: 'raw',
  objectKey: KEY,
  limits: LIMITS,
  ...more,
});

t.test('a body becomes an object, with its hash and what it is', async (t) => {
  const { pool, left, read } = await start(t);
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
  const { pool, left } = await start(t);
  const png = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), randomBytes(9 * MIB)]);
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
  const { pool, left } = await start(t);
  for (const bytes of [0, 100, 20 * MIB]) {
    const stream = pool.open(raw());
    await send(stream, text(bytes));
    stream.abort();
    await t.rejects(stream.result, { code: 'TETHER_INTAKE_ABORTED' }, `${bytes} bytes`);
    t.strictSame(await left(), { objects: [], multiparts: 0 });
  }
});

t.test('no more than a window is between the threads', async (t) => {
  const { pool } = await start(t);
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
  const { pool, workers } = await start(t, { activeMax: 3, threads: 2 });
  const streams = [pool.open(raw()), pool.open(raw()), pool.open(raw())];
  t.throws(() => pool.open(raw()), { code: 'TETHER_INTAKE_BUSY', retryable: true });
  t.equal(pool.active, 3);
  for (const stream of streams) stream.abort();
  await Promise.allSettled(streams.map(({ result }) => result));
  await until('the streams are forgotten', () => pool.active === 0);
  t.equal(workers.length, 2);
});

t.test('a thread that ends takes its streams with it, and there is a fresh one', async (t) => {
  const { pool, workers, left } = await start(t);
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
  const { pool } = await start(t);
  const good = pool.open(raw());
  await send(good, text(10 * MIB));
  const closing = pool.close(5_000);
  t.throws(() => pool.open(raw()), { code: 'TETHER_INTAKE_BUSY' });
  good.end();
  await closing;
  t.match(await good.result, { outcome: 'stored' });

  const other = await start(t);
  const stuck = other.pool.open(raw());
  await send(stuck, text(100));
  await other.pool.close(50);
  await t.rejects(stuck.result, { code: 'TETHER_INTAKE_LOST' });
});
