import { randomUUID } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import t from 'tap';
import { LogFullError } from '../../runtime/errors.js';
import { testSeed } from '../../runtime/testing/seed.js';
import { until } from '../../runtime/testing/until.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { seededRandom } from '../test/seed.js';
import { CSV } from './test/files.js';
import { begin, latest, NOTHING, post, problemOf } from './test/posting.js';
import { startTestUploads } from './test/start.js';

const MIB = 1024 * 1024;
const postgres = await startTestPostgres(t);

t.test('a client that leaves in the middle leaves nothing', async (t) => {
  const server = await startTestUploads(t, { postgres });
  for (const way of ['destroy', 'reset', 'end'] as const) {
    for (const [length, bytes] of [
      [1_000, 1],
      [60 * MIB, 30 * MIB],
    ] as const) {
      const sender = await begin(server, length);
      await sender.flush(Buffer.alloc(bytes, 'a;b\n'));
      await latest(server, ({ state }) => state === 'receiving');
      if (bytes > MIB)
        await until('parts are there', async () => (await server.stored()).multiparts.length > 0);
      if (way === 'destroy') sender.destroy();
      else if (way === 'reset') sender.reset();
      else sender.socket.end();
      const { failure } = await latest(server, ({ state }) => state === 'failed');
      t.equal(failure?.code, 'client-gone', `${way} after ${bytes} bytes`);
      t.strictSame(await server.stored(), NOTHING);
    }
  }
  await until('no request is under way', () => server.gateway.pending === 0);
  t.equal(server.intake.active, 0);
});

t.test('what a crash would leave in the store is written down', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const sender = await begin(server, 60 * MIB);
  await sender.flush(Buffer.alloc(20 * MIB, 'a;b\n'));
  const { multipart, objectKey } = await latest(server, (upload) => upload.multipart !== undefined);
  t.match(await server.objects.listMultiparts('', 10), [{ key: objectKey, multipart }]);
});

t.test('there is room for so many uploads', async (t) => {
  const server = await startTestUploads(t, { postgres, activeMax: 1 });
  const first = await begin(server, 100);
  first.write('a;b');
  await until('it is under way', () => server.intake.active === 1);
  const id = (await latest(server, ({ state }) => state === 'receiving')).id;
  const second = await server.askAs(post(CSV));
  t.match([second.status, problemOf(second)], [503, 'uploads-busy']);
  t.ok(second.headers['retry-after']);
  t.equal((await server.latest())?.id, id, 'no row');
  first.destroy();
  await until('it is over', () => server.intake.active === 0);
  t.equal((await server.askAs(post(CSV))).status, 201);
});

t.test('an upload that is cancelled while it comes in ends', async (t) => {
  const server = await startTestUploads(t, { postgres, parts: { signOfLifeMs: 20 } });
  const sender = await begin(server, 60 * MIB);
  await sender.flush(Buffer.alloc(20 * MIB, 'a;b\n'));
  const { id } = await latest(server, ({ bytes }) => bytes > 0);
  await server.uploads.cancel(id);
  const response = await sender.response();
  t.match([response.status, problemOf(response)], [409, 'upload-cancelled']);
  t.match(await server.latest(), { id, state: 'cancelling' }, 'the rest is the actor’s');
  t.strictSame(await server.stored(), NOTHING);
});

t.test('a cancellation that is seen only when the file is stored takes it back', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const before = (await server.latest())?.id;
  const sender = await begin(server, 10);
  sender.write('a;b\n');
  const { id } = await latest(server, (upload) => upload.id !== before);
  await server.uploads.cancel(id);
  sender.write('1;2\n\n\n');
  t.equal((await sender.response()).status, 409);
  t.strictSame(await server.stored(), NOTHING);
  t.strictSame(server.enqueued, []);
});

t.test('whenever it is cancelled, an upload that is refused for it leaves nothing', async (t) => {
  const random = seededRandom(testSeed(t));
  const server = await startTestUploads(t, { postgres, parts: { signOfLifeMs: 1 } });
  const file = Buffer.alloc(24 * MIB, 'a;b\n');
  let refused = 0;
  for (let round = 0; round < 15; round++) {
    const before = (await server.latest())?.id;
    const sender = await begin(server, file.length);
    await sender.flush(file.subarray(1));
    const { id, objectKey } = await latest(server, (upload) => upload.id !== before);
    sender.write(file.subarray(0, 1));
    await new Promise((resolve) => setTimeout(resolve, random() * 200));
    await server.uploads.cancel(id);
    const { status } = await sender.response();
    t.match(await server.uploads.get(id), { state: 'cancelling' });
    if (status === 409) {
      refused++;
      t.strictSame(await server.stored(), NOTHING, 'refused');
    } else {
      t.equal(status, 201, 'it was stored before');
      await server.objects.delete(objectKey);
    }
  }
  t.comment(`${refused} were refused`);
});

t.test('an upload whose body does not end in time ends', async (t) => {
  const server = await startTestUploads(t, { postgres, parts: { expiryMs: 50 } });
  const sender = await begin(server, 100);
  sender.write('a;b\n');
  const response = await sender.response();
  t.match([response.status, problemOf(response)], [408, 'request-timeout']);
  t.match(await server.latest(), { state: 'failed', failure: { code: 'too-slow' } });
});

t.test('without the log there is no success', async (t) => {
  let full = true;
  const enqueued: string[] = [];
  const server = await startTestUploads(t, {
    postgres,
    parts: {
      async enqueue(id) {
        if (full) throw new LogFullError('full');
        enqueued.push(id);
      },
    },
  });
  const refused = await server.askAs(post(CSV));
  t.match([refused.status, problemOf(refused)], [503, 'log-full']);
  t.match(await server.latest(), { state: 'failed', failure: { code: 'unavailable' } });
  t.strictSame(await server.stored(), NOTHING);

  const headers = [`Idempotency-Key: ${randomUUID()}`];
  t.equal((await server.askAs(post(CSV, headers))).status, 503);
  const { id } = await latest(server, ({ state }) => state === 'stored');
  full = false;
  const again = await server.askAs(post(CSV, headers));
  t.match(again, { status: 201, headers: { 'idempotency-replayed': 'true' } });
  t.strictSame(enqueued, [id], 'the second request brings it onto the log');
});

t.test('without Postgres there is no success', async (t) => {
  const own = await startTestPostgres(t);
  const server = await startTestUploads(t, { postgres: own });
  const sender = await begin(server, CSV.length);
  sender.write(CSV.slice(0, 5));
  await latest(server, ({ state }) => state === 'receiving');
  await own.server.stop();
  sender.write(CSV.slice(5));
  const response = await sender.response();
  t.match([response.status, problemOf(response)], [503, 'unavailable']);
  t.ok(response.headers['retry-after']);
  t.equal((await server.askAs(post(CSV))).status, 503);
  await until('no stream is left open', () => server.intake.active === 0);
  t.equal((await server.stored()).objects.length, 1, 'for the sweeper');
});

t.test('a thread that ends takes its uploads with it, and the next one works', async (t) => {
  const workers: Worker[] = [];
  const seen = (worker: Worker) => void workers.push(worker);
  process.on('worker', seen);
  t.teardown(() => process.off('worker', seen));
  const server = await startTestUploads(t, { postgres });
  const sender = await begin(server, 60 * MIB);
  await sender.flush(Buffer.alloc(20 * MIB, 'a;b\n'));
  await until('parts are there', async () => (await server.stored()).multiparts.length > 0);
  await workers[0]?.terminate();
  t.equal((await sender.response()).status, 503);
  t.match(await server.latest(), { state: 'failed', failure: { code: 'unavailable' } });
  t.equal((await server.askAs(post(CSV))).status, 201);
});
