import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { startFaultProxy } from '../../storage/objects/test-fault-proxy.js';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { CSV, FORM_TYPE, formOf, PNG, sha256Of } from './test/files.js';
import { begin, json, latest, NOTHING, post, problemOf } from './test/posting.js';
import { startTestUploads } from './test/start.js';

t.setTimeout(60_000);

const MIB = 1024 * 1024;
const LARGE = 30 * MIB + 17;
const s3 = await startTestS3Server(t);
const postgres = await startTestPostgres(t);

/** Of its own bucket, behind a proxy of its own. */
async function start(test: Test, bucket: string) {
  const proxy = await startFaultProxy(test, s3.port);
  const objects = { driver: 's3', url: s3.url(bucket, proxy.port) } as const;
  return { proxy, ...(await startTestUploads(test, { postgres, objects, outageMsMax: 5_000 })) };
}

const file = Buffer.alloc(LARGE, `${CSV}${CSV}x`);
/** More than all of the memory between the client and the store. */
const huge = Buffer.alloc(60 * MIB, CSV);

t.test('files of any size go into S3, and what is refused or left leaves nothing', async (t) => {
  const server = await start(t, 'sizes');
  t.equal((await server.askAs(post(CSV))).status, 201);
  const large = await begin(server, LARGE);
  large.write(file);
  const response = await large.response();
  t.match(json(response), { bytes: LARGE, sha256: sha256Of(file) });
  const { objectKey } = await latest(server, ({ state }) => state === 'stored');
  const stored = Buffer.concat(await (await server.objects.read(objectKey)).toArray());
  t.ok(stored.equals(file));
  const before = (await server.stored()).objects;
  t.equal(before.length, 2);

  t.equal((await server.askAs({ ...post(formOf(CSV, 'a.csv')), headers: [FORM_TYPE] })).status, 201);
  t.equal((await server.askAs(post(PNG.toString('latin1')))).status, 415);
  const picture = await begin(server, LARGE);
  picture.write(Buffer.concat([file.subarray(PNG.length), PNG]));
  t.equal((await picture.response()).status, 201, 'what looks like a picture at its end is none');

  const leaver = await begin(server, 60 * MIB);
  await leaver.flush(file);
  await until('parts are there', async () => (await server.stored()).multiparts.length > 0);
  leaver.destroy();
  const { failure } = await latest(server, ({ state }) => state === 'failed');
  t.equal(failure?.code, 'client-gone');
  const after = await server.stored();
  t.strictSame([after.objects.length, after.multiparts], [4, []]);
});

t.test('a connection that breaks in the middle of a part costs a retry', async (t) => {
  const server = await start(t, 'breaks');
  await server.proxy.set({ kind: 'reset', afterBytes: 5 * MIB });
  const sender = await begin(server, LARGE);
  sender.write(file.subarray(0, 10 * MIB));
  await until('a connection is reset', () => server.proxy.bytes > 6 * MIB);
  await server.proxy.set({ kind: 'pass' });
  sender.write(file.subarray(10 * MIB));
  const response = await sender.response();
  t.equal(response.status, 201);
  t.match(json(response), { sha256: sha256Of(file) });
  const { objectKey } = await latest(server, ({ state }) => state === 'stored');
  t.ok(Buffer.concat(await (await server.objects.read(objectKey)).toArray()).equals(file));
  t.strictSame((await server.stored()).multiparts, []);
});

t.test('a store that stands still stops the client, and no more', async (t) => {
  const server = await start(t, 'stalls');
  const sender = await begin(server, huge.length);
  sender.write(huge.subarray(0, 10 * MIB));
  await until('a part is on its way', async () => (await server.stored()).multiparts.length > 0);
  await server.proxy.set({ kind: 'stall' });
  sender.write(huge.subarray(10 * MIB));
  let before = -1;
  await until('the client is held up', async () => {
    const same = sender.socket.bytesWritten - sender.socket.writableLength === before;
    before = sender.socket.bytesWritten - sender.socket.writableLength;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return same;
  });
  t.ok(sender.socket.writableLength > 10 * MIB, `${sender.socket.writableLength} bytes wait in the client`);
  await server.proxy.set({ kind: 'pass' });
  t.match(json(await sender.response()), { bytes: huge.length, sha256: sha256Of(huge) });
});

t.test('a slow store makes a slow client', async (t) => {
  const server = await start(t, 'slow');
  await server.proxy.set({ kind: 'slow', bytesPerSecond: 4 * MIB });
  const sender = await begin(server, huge.length);
  sender.write(huge);
  await until('bytes go through', () => server.proxy.bytes > MIB);
  t.ok(sender.socket.writableLength > 10 * MIB, `${sender.socket.writableLength} bytes wait in the client`);
  await server.proxy.set({ kind: 'pass' });
  t.equal((await sender.response()).status, 201);
});

t.test('without the store there is no success', { timeout: 50_000 }, async (t) => {
  const server = await start(t, 'away');
  const sender = await begin(server, LARGE);
  sender.write(file.subarray(0, 10 * MIB));
  await until('a part is there', async () => (await server.stored()).multiparts.length > 0);
  await server.proxy.set({ kind: 'refuse' });
  sender.write(file.subarray(10 * MIB));
  await until('an answer is there', () => sender.hasMore, 20_000);
  const response = await sender.response();
  t.match([response.status, problemOf(response)], [503, 'unavailable']);
  t.ok(response.headers['retry-after']);
  t.match(await server.latest(), { state: 'failed', failure: { code: 'unavailable' } });
  await server.proxy.set({ kind: 'pass' });
  const left = await server.stored();
  t.strictSame(left.objects, NOTHING.objects);
  t.ok(left.multiparts.length <= 1, 'at most for the sweeper');
  t.equal((await server.askAs(post(CSV))).status, 201, 'and the next one works');
});
