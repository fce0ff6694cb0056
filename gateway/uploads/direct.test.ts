import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { LogFullError } from '../../runtime/errors.js';
import type { Logger } from '../../runtime/logger.js';
import { testSeed } from '../../runtime/testing/seed.js';
import { PART_BYTES } from '../../storage/objects/object-store.js';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { partsOf, SINGLE_BYTES_MAX } from './direct.js';
import { makeUpload } from './test/make-upload.js';
import { startTestUploads } from './test/start.js';

t.setTimeout(60_000);

const [postgres, s3] = await Promise.all([startTestPostgres(t), startTestS3Server(t)]);
/** Everything that is logged, in full. */
const logged: string[] = [];
const note = (fields: object, message: string) =>
  void logged.push(inspect({ fields, message }, { depth: 9 }));
const logger: Logger = { debug: note, info: note, warn: note, error: note };
let logFull = false;
const server = await startTestUploads(t, {
  postgres,
  objects: { driver: 's3', url: s3.url('direct') },
  parts: {
    logger,
    enqueue: async (uploadId, type) => {
      if (logFull) throw new LogFullError('full');
      server.enqueued.push({ uploadId, type });
    },
  },
});
const { uploads, objects, enqueued } = server;

const MIB = 1024 * 1024;
const CONTENT = Buffer.from('iban;amount\nDE02120300000000202051;5,00\n');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const type = (name: string) => ({ type: `urn:tether:problem:${name}` });

async function post(path: string, body?: unknown, token = 'acme', from = server) {
  const response = await from.askAs(
    {
      method: 'POST',
      path,
      headers: body === undefined ? [] : ['Content-Type: application/json'],
      body: body === undefined ? '' : JSON.stringify(body),
    },
    token,
  );
  return { ...response, json: JSON.parse(response.body) };
}

async function create(content: Uint8Array, more: object = {}) {
  const answer = await post('/uploads/direct', { filename: 'a.csv', bytes: content.byteLength, ...more });
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.body}`);
  const { id, put, parts } = answer.json as {
    readonly id: string;
    readonly put?: { readonly url: string };
    readonly parts?: readonly { readonly number: number; readonly url: string; readonly bytes: number }[];
  };
  return { id, put: put?.url ?? '', parts: parts ?? [], answer };
}

async function put(url: string, bytes: Uint8Array) {
  const response = await fetch(url, { method: 'PUT', body: bytes });
  await response.arrayBuffer();
  return { status: response.status, etag: response.headers.get('etag') ?? '' };
}

const complete = (id: string, body?: unknown, token?: string) => post(`/uploads/${id}/complete`, body, token);
const isGone = async (id: string) => (await objects.stat(`uploads/${id}`)) === undefined;

t.test('one PUT, and no other bytes afterwards', async (t) => {
  const { id, put: url, answer } = await create(CONTENT, { sha256: sha256(CONTENT).toUpperCase() });
  t.match(answer.json, { state: 'receiving', via: 'direct', bytesExpected: CONTENT.length });
  t.match(answer.json, { put: { expiresAt: /^\d{4}-/ }, complete: `/uploads/${id}/complete` });
  t.match(answer.headers, { location: `/uploads/${id}`, 'cache-control': 'no-store' });
  t.notOk('parts' in answer.json);
  t.equal((await put(url, CONTENT)).status, 200);
  t.ok(await isGone(id), 'nothing is there to read yet');
  enqueued.length = 0;
  const done = await complete(id);
  t.match(done, {
    status: 200,
    json: { id, state: 'stored', bytes: CONTENT.length, sha256: sha256(CONTENT) },
  });
  t.strictSame(enqueued, [{ uploadId: id, type: 'process' }]);
  const file = () => server.askAs({ path: `/uploads/${id}/file` });
  t.equal((await file()).body, String(CONTENT));
  t.match(await complete(id), { status: 200, json: { state: 'stored' } }, 'again');
  t.match(await complete(id, { sha256: '00'.repeat(32) }), { status: 422, json: type('wrong-digest') });
  t.match(await uploads.get(id), { state: 'stored' }, 'which changes nothing');
  const other = Buffer.alloc(CONTENT.length, 'x');
  const late = await put(url, other);
  const { status, body } = await file();
  t.ok(late.status === 200 ? status >= 400 : body === String(CONTENT), `${late.status}, and then ${status}`);
});

t.test('a large file in parts, of which one comes late', async (t) => {
  const content = Buffer.alloc(SINGLE_BYTES_MAX + 3, 'iban;amount\n');
  const { id, parts } = await create(content);
  t.equal(parts.length, Math.ceil(content.length / PART_BYTES));
  let at = 0;
  const bodies = parts.map(({ number, url, bytes }) => {
    at += bytes;
    return { number, url, body: content.subarray(at - bytes, at) };
  });
  t.equal(at, content.length);
  const [late, ...others] = bodies;
  if (late === undefined) throw new Error('no parts');
  const etags: { number: number; etag: string }[] = [];
  for (const { number, url, body } of others) etags.push({ number, etag: (await put(url, body)).etag });
  t.match(await complete(id), { status: 422, json: type('wrong-size') });
  etags.push({ number: late.number, etag: (await put(late.url, late.body)).etag });
  const wrong = etags.map(({ number }) => ({ number, etag: '"0123"' }));
  t.match(await complete(id, { parts: wrong }), { status: 422, json: type('wrong-parts') });
  t.match(await complete(id, { parts: etags.slice(1) }), { status: 422, json: type('wrong-parts') });
  t.match(await uploads.get(id), { state: 'receiving' }, 'all of which can be mended');
  const done = await complete(id, { parts: etags, sha256: sha256(content) });
  t.match(done, { status: 200, json: { state: 'stored', bytes: content.length, sha256: sha256(content) } });
});

t.test('another size than announced can be mended', async (t) => {
  const { id, put: url } = await create(CONTENT);
  t.match(await complete(id), { status: 422, json: type('wrong-size') }, 'nothing yet');
  await put(url, Buffer.concat([CONTENT, CONTENT]));
  t.match(await complete(id), { status: 422, json: type('wrong-size') });
  await put(url, CONTENT);
  t.match(await complete(id), { status: 200 });
});

t.test('another file than announced, or none that we take, ends the upload', async (t) => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
  for (const [content, more, completion, expected] of [
    [CONTENT, { sha256: '00'.repeat(32) }, undefined, { status: 422, json: type('wrong-digest') }],
    [CONTENT, {}, { sha256: '11'.repeat(32) }, { status: 422, json: type('wrong-digest') }],
    [png, {}, undefined, { status: 415 }],
  ] as const) {
    const { id, put: url } = await create(content, more);
    await put(url, content);
    t.match(await complete(id, completion), expected);
    t.match(await uploads.get(id), { state: 'failed', failure: { code: /^(wrong-digest|not-a-table)$/ } });
    t.ok(await isGone(id), 'the object is gone');
    t.match(await complete(id), { status: 410, json: type('upload-gone') });
  }
});

t.test('a crash or an outage in between: the next call goes on', async (t) => {
  const first = await create(CONTENT);
  await put(first.put, CONTENT);
  const row = await uploads.get(first.id);
  const [key, multipart] = [row?.objectKey ?? '', row?.multipart ?? ''];
  await objects.completeMultipart(key, multipart, await objects.listParts(key, multipart));
  t.match(await complete(first.id), { status: 200, json: { state: 'stored' } });

  const second = await create(CONTENT);
  await put(second.put, CONTENT);
  logFull = true;
  t.match(await complete(second.id), { status: 503, json: type('log-full') });
  t.match(await uploads.get(second.id), { state: 'stored' });
  logFull = false;
  enqueued.length = 0;
  t.match(await complete(second.id), { status: 200 });
  t.strictSame(enqueued, [{ uploadId: second.id, type: 'process' }]);
});

t.test('several at once', async (t) => {
  const { id, put: url } = await create(CONTENT);
  await put(url, CONTENT);
  const answers = await Promise.all(Array.from({ length: 5 }, () => complete(id)));
  t.ok(
    answers.every(({ status }) => status === 200),
    answers.map(({ status }) => status).join(),
  );
});

t.test('one that is cancelled takes nothing', async (t) => {
  const { id, put: url } = await create(CONTENT);
  await put(url, CONTENT);
  t.match(await server.askAs({ method: 'DELETE', path: `/uploads/${id}` }), { status: 202 });
  t.not((await put(url, CONTENT)).status, 200);
  t.match(await complete(id), { status: 409, json: type('upload-cancelled') });
  t.ok(await isGone(id));
});

t.test('who may, and with what', async (t) => {
  const body = { filename: 'a.csv', bytes: 1 };
  t.match(await post('/uploads/direct', body, 'acme-reader'), { status: 403 });
  for (const wrong of [
    {},
    { ...body, bytes: 0 },
    { ...body, bytes: 1.5 },
    { ...body, bytes: '1' },
    { ...body, filename: '' },
    { ...body, filename: 'a'.repeat(1001) },
    { ...body, sha256: 'x' },
    { ...body, process: false },
  ]) {
    t.match(
      await post('/uploads/direct', wrong),
      { status: 400, json: type('invalid-body') },
      inspect(wrong),
    );
  }
  t.match(await post('/uploads/direct', { ...body, bytes: 512 * MIB + 1 }), { status: 413 });
  t.match(await post('/uploads/direct', { ...body, filename: 'a'.repeat(17_000) }), { status: 413 });
  const { json } = await post('/uploads/direct', { ...body, filename: '../..\\x\u202e\0.csv' });
  t.match(json, { filename: 'x.csv' });
  t.match(await complete(json.id, undefined, 'bolt'), { status: 404 });
  t.match(await complete(json.id, { parts: [{ number: 0, etag: 'x' }] }), { status: 400 });
  t.match(await complete((await makeUpload(server)).id), { status: 409, json: type('not-receiving') });
  t.match(await server.askAs({ path: `/uploads/${json.id}/complete` }), { status: 405 });
});

t.test('files in a folder', async (t) => {
  const folder = await startTestUploads(t, { postgres });
  const answer = await post('/uploads/direct', { filename: 'a.csv', bytes: 1 }, 'acme', folder);
  t.match(answer, { status: 501, json: type('direct-not-available') });
});

t.test('no log shows a signature', async (t) => {
  t.notMatch(logged.join('\n'), /X-Amz|Signature/i);
});

t.test('parts of any size', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 * 1024 ** 4 }), (bytes) => {
      const parts = partsOf(bytes);
      const [first] = parts;
      return (
        parts.length <= 1000 &&
        parts.reduce((sum, part) => sum + part.bytes, 0) === bytes &&
        parts.every(({ number }, index) => number === index + 1) &&
        parts.slice(0, -1).every((part) => part.bytes === first?.bytes && part.bytes >= PART_BYTES) &&
        (parts.at(-1)?.bytes ?? 0) > 0
      );
    }),
    { seed: testSeed(t), numRuns: 300 },
  );
});
