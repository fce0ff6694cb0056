/**
 * The gateway's process is killed at any moment while tus-js-client uploads, and the connection cut; another process goes on. In the end the object is
 * the file, and what was acknowledged was never taken back.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Uploads } from '../../../actors/upload/uploads.js';
import { testSeed } from '../../../runtime/testing/seed.js';
import { until } from '../../../runtime/testing/until.js';
import { openObjectStore } from '../../../storage/objects/open.js';
import { type FaultProxy, startFaultProxy } from '../../../storage/objects/test-fault-proxy.js';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import { seededRandom } from '../../test/seed.js';
import { TusProcess } from './test/tus-process.js';
import { randomText, type Sent, sha256, upload } from './test/tus-upload.js';

const MIB = 1024 * 1024;
const { url, pool } = await startTestPostgres(t);
const directory = await mkdtemp(join(tmpdir(), 'tether-tus-'));
t.teardown(() => rm(directory, { recursive: true, force: true }));
const settings = { driver: 'folder', directory } as const;
const objects = await openObjectStore(settings);
const uploads = new Uploads(pool);
const server = new TusProcess(t, url, settings);
await server.start();
const random = seededRandom(testSeed(t));

/** Kills it, and goes on as if a dead writer's lease had run out since. */
async function crash(proxy: FaultProxy): Promise<void> {
  await server.kill();
  await proxy.set({ kind: 'refuse' });
  await pool.query('UPDATE tus_uploads SET lease_until = now() WHERE lease_until > now()');
  await server.start();
  await proxy.set({ kind: 'pass' });
}

const received = async (): Promise<number> => {
  const { rows } = await pool.query<{ readonly bytes: number }>(
    `SELECT received::float8 AS bytes FROM tus_uploads WHERE state = 'open'`,
  );
  return rows[0]?.bytes ?? 0;
};

async function isThere(t: Test, { id, offsets, answers }: Sent, file: Buffer): Promise<void> {
  t.match(await uploads.get(id), { state: 'stored', bytes: file.byteLength, sha256: sha256(file) });
  const stored = Buffer.concat(await (await objects.read(`uploads/${id}`)).toArray());
  t.ok(stored.equals(file), 'the object is the file');
  t.strictSame(
    offsets,
    offsets.toSorted((a, b) => a - b),
    'no offset was taken back',
  );
  t.equal(answers.filter((answer) => answer === 'POST 201').length, 1, 'it did not begin anew');
  t.ok(server.enqueued.includes(id), 'the actor was told');
  const keys = await objects.list('', { limit: 1_000 });
  t.strictSame(
    keys.map(({ key }) => key).filter((key) => key.includes(id)),
    [`uploads/${id}`],
    'no tail is left',
  );
}

t.test('killed in the middle of one long request, it loses little of it', async (t) => {
  const proxy = await startFaultProxy(t, server.port);
  const file = randomText(random, 48 * MIB);
  const sent = upload(proxy.port, file);
  await until('more than two parts', () => proxy.bytes > 20 * MIB);
  // The line goes dead, and the request with it; meanwhile the lease is renewed, and what is durable written down.
  await proxy.set({ kind: 'stall' });
  await until('the first bytes are written down', async () => (await received()) > 0);
  const kept = await received();
  t.comment(`${kept} of ${proxy.bytes} bytes`);
  await crash(proxy);
  const { offsets, ...rest } = await sent;
  t.equal(offsets[0], kept, 'it went on behind bytes of a request that never had its answer');
  await isThere(t, { offsets, ...rest }, file);
});

t.test('killed and cut at random', async (t) => {
  const ROUNDS = 3;
  const proxy = await startFaultProxy(t, server.port);
  for (let round = 0; round < ROUNDS; round++) {
    const file = randomText(random, Math.ceil(random() * 18 * MIB));
    const chunkSize = random() < 0.3 ? Number.POSITIVE_INFINITY : Math.ceil((0.1 + random()) * 5 * MIB);
    const start = proxy.bytes;
    let isDone = false;
    const sent = upload(proxy.port, file, { chunkSize }).finally(() => {
      isDone = true;
    });
    sent.catch(() => {});
    for (let fault = 0; fault < 3 && !isDone; fault++) {
      const from = proxy.bytes;
      // Every other file first when its last byte is on its way: between the steps that make an upload of it.
      const first = fault === 0 && round % 2 === 1 ? start + file.byteLength : 0;
      const after = Math.max(first, from + random() * (file.byteLength / 3));
      await until('some bytes', () => isDone || proxy.bytes >= after);
      if (random() < 0.5) {
        await crash(proxy);
      } else {
        await proxy.set({ kind: 'refuse' });
        await proxy.set({ kind: 'pass' });
      }
    }
    const result = await sent;
    t.comment(`${file.byteLength} bytes by ${chunkSize}: ${result.answers.join(', ')}`);
    await isThere(t, result, file);
  }
});
