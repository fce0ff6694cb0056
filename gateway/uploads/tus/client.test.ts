/** tus-js-client, the client that most people use, against this server. */
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { startFaultProxy } from '../../../storage/objects/test-fault-proxy.js';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import { seededRandom } from '../../test/seed.js';
import { startTus } from './test/start-tus.js';
import { randomText, type Sent, sha256, upload } from './test/tus-upload.js';

const MIB = 1024 * 1024;
const postgres = await startTestPostgres(t);
const { gateway, uploads, objects, enqueued, left, tus } = await startTus(t, { postgres });
const { port } = gateway;
const random = seededRandom(testSeed(t));

async function isThere(t: Test, { id }: Sent, file: Buffer): Promise<void> {
  t.match(await uploads.get(id), {
    state: 'stored',
    owner: 'acme',
    via: 'tus',
    filename: 'debtors.csv',
    bytes: file.byteLength,
    sha256: sha256(file),
    mediaType: 'text/csv',
  });
  const stored = Buffer.concat(await (await objects.read(`uploads/${id}`)).toArray());
  t.ok(stored.equals(file), 'the object is the file');
  t.strictSame(await left(`/uploads/tus/${id}`), [`uploads/${id}`], 'and nothing else is there');
  t.equal(enqueued.filter(({ uploadId }) => uploadId === id).length, 1, 'on the log');
}

t.test('one request for a small file, and for one of several parts', async (t) => {
  for (const bytes of [11, 20 * MIB + 7]) {
    const file = randomText(random, bytes);
    const sent = await upload(port, file);
    t.strictSame(sent.answers, ['POST 201', 'PATCH 204']);
    await isThere(t, sent, file);
  }
});

t.test('many requests, their ends anywhere', async (t) => {
  const file = randomText(random, 13 * MIB);
  for (const chunkSize of [6 * MIB + 1, 1_500_000])
    await isThere(t, await upload(port, file, { chunkSize }), file);
});

t.test('with the first bytes in the creation', async (t) => {
  const file = randomText(random, 3 * MIB);
  const whole = await upload(port, file, { uploadDataDuringCreation: true });
  t.strictSame(whole.answers, ['POST 201']);
  await isThere(t, whole, file);
  const some = await upload(port, file, { uploadDataDuringCreation: true, chunkSize: MIB });
  t.strictSame(some.answers, ['POST 201', 'PATCH 204', 'PATCH 204']);
  await isThere(t, some, file);
});

t.test('a stream whose length is known at its end', async (t) => {
  const file = randomText(random, 2 * MIB + 5);
  const stream = () => Readable.from([file.subarray(0, 100), file.subarray(100)]) as never;
  const options = { uploadLengthDeferred: true, chunkSize: MIB };
  await isThere(t, await upload(port, stream(), options), file);
  await isThere(t, await upload(port, stream(), { ...options, uploadDataDuringCreation: true }), file);
});

t.test('in parallel', async (t) => {
  const file = randomText(random, 11 * MIB);
  const sent = await upload(port, file, { parallelUploads: 3 });
  await isThere(t, sent, file);
  t.match((await tus('HEAD', `/uploads/tus/${sent.id}`)).headers, {
    'upload-concat': /^final;http:\S+ http:\S+ http:\S+$/,
  });
});

t.test('where PATCH does not get through', async (t) => {
  const file = randomText(random, MIB);
  const sent = await upload(port, file, { overridePatchMethod: true });
  t.strictSame(sent.answers, ['POST 201', 'POST 204']);
  await isThere(t, sent, file);
});

t.test('over a line that breaks again and again', async (t) => {
  const proxy = await startFaultProxy(t, port);
  const file = randomText(random, 9 * MIB);
  await proxy.set({ kind: 'reset', afterBytes: 2 * MIB });
  const sent = await upload(proxy.port, file);
  await isThere(t, sent, file);
  t.ok(sent.answers.filter((answer) => answer === 'HEAD 200').length >= 3, 'it went on, where it stood');
  const sorted = sent.offsets.toSorted((a, b) => a - b);
  t.strictSame(sent.offsets, sorted, 'what was acknowledged was never taken back');
  t.equal(sent.answers.filter((answer) => answer === 'POST 201').length, 1, 'and it did not begin anew');
});

t.test('terminated by the client', async (t) => {
  const { Upload } = await import('tus-js-client');
  const sent = await upload(port, randomText(random, 1000), { uploadDataDuringCreation: true });
  await Upload.terminate(`http://127.0.0.1:${port}/uploads/tus/${sent.id}`, {
    headers: { Authorization: 'Bearer acme' },
  });
  t.equal((await tus('HEAD', `/uploads/tus/${sent.id}`)).status, 410);
});
