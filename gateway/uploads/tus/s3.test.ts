/** The main path with its objects in S3, whose multiparts are not files. */
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { startFaultProxy } from '../../../storage/objects/test-fault-proxy.js';
import { startTestS3Server } from '../../../storage/objects/test-s3-server.js';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import { seededRandom } from '../../test/seed.js';
import { startTus } from './test/start-tus.js';
import { randomText, type Sent, sha256, upload } from './test/tus-upload.js';

const MIB = 1024 * 1024;
const s3 = await startTestS3Server(t);
const line = await startFaultProxy(t, s3.port);
const postgres = await startTestPostgres(t);
const { gateway, uploads, objects, left, tus, create, patch } = await startTus(t, {
  postgres,
  objects: { driver: 's3', url: s3.url(`tus-${randomBytes(4).toString('hex')}`, line.port) },
});
const random = seededRandom(testSeed(t));

async function isThere(t: Test, { id }: Sent, file: Buffer): Promise<void> {
  t.match(await uploads.get(id), { state: 'stored', bytes: file.byteLength, sha256: sha256(file) });
  const stored = Buffer.concat(await (await objects.read(`uploads/${id}`)).toArray());
  t.ok(stored.equals(file), 'the object is the file');
  t.strictSame(await left(`/uploads/tus/${id}`), [`uploads/${id}`], 'and nothing else is there');
}

t.test('whole, in pieces, in parallel', async (t) => {
  const file = randomText(random, 14 * MIB);
  await isThere(t, await upload(gateway.port, file), file);
  await isThere(t, await upload(gateway.port, file, { chunkSize: 5 * MIB + 11 }), file);
  await isThere(t, await upload(gateway.port, file, { parallelUploads: 2 }), file);
});

t.test('over a line that breaks, to a store that does', async (t) => {
  const proxy = await startFaultProxy(t, gateway.port);
  const file = randomText(random, 12 * MIB);
  await proxy.set({ kind: 'reset', afterBytes: 5 * MIB });
  await line.set({ kind: 'reset', afterBytes: 10 * MIB });
  const sent = await upload(proxy.port, file);
  await line.set({ kind: 'pass' });
  await isThere(t, sent, file);
  t.equal(sent.answers.filter((answer) => answer === 'POST 201').length, 1, 'it did not begin anew');
});

t.test('terminated', async (t) => {
  const path = await create('Upload-Length: 17');
  await patch(path, 0, 'name,');
  t.equal((await tus('DELETE', path)).status, 204);
  t.strictSame(await left(path), []);
});
