import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readlink, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'content-disposition';
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { startFaultProxy } from '../../storage/objects/test-fault-proxy.js';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { RawClient } from '../test/raw-client.js';
import { makeUpload } from './test/make-upload.js';
import { bearer, startTestUploads } from './test/start.js';

const postgres = await startTestPostgres(t);
const directory = await mkdtemp(join(tmpdir(), 'tether-file-'));
t.teardown(() => rm(directory, { recursive: true, force: true }));
const server = await startTestUploads(t, { postgres, objects: { driver: 'folder', directory } });
const CONTENT = randomBytes(3_000_001);

async function get(
  id: string,
  headers: Record<string, string> = {},
  { method = 'GET', token = 'acme', from = server } = {},
) {
  const url = `http://127.0.0.1:${from.gateway.port}/uploads/${id}/file`;
  const response = await fetch(url, { method, headers: { authorization: `Bearer ${token}`, ...headers } });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  };
}

t.test('the original comes back, as an attachment of its type', async (t) => {
  const { id, sha256 = '' } = await makeUpload(server, { content: CONTENT, filename: 'März 1.csv' });
  const { status, headers, body } = await get(id);
  t.equal(status, 200);
  t.ok(body.equals(CONTENT));
  t.match(headers, {
    'content-type': 'text/csv',
    'content-length': String(CONTENT.length),
    etag: `"${sha256}"`,
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
  });
  t.match(parse(headers['content-disposition'] ?? ''), {
    type: 'attachment',
    parameters: { filename: 'März 1.csv' },
  });
  const head = await get(id, { range: 'bytes=0-1' }, { method: 'HEAD' });
  t.match(head, { status: 200, headers: { 'content-length': String(CONTENT.length), etag: `"${sha256}"` } });
  t.equal((await get(id, { 'if-none-match': `"${sha256}"` })).status, 304);
});

t.test('ranges', async (t) => {
  const { id, sha256 = '' } = await makeUpload(server, { content: CONTENT });
  const size = CONTENT.length;
  for (const [range, start, end] of [
    ['bytes=0-0', 0, 1],
    ['bytes=1-', 1, size],
    ['bytes=5-9', 5, 10],
    ['Bytes=5-9', 5, 10],
    ['bytes=1000000-2000000', 1_000_000, 2_000_001],
    [`bytes=${size - 1}-`, size - 1, size],
    [`bytes=5-${'9'.repeat(40)}`, 5, size],
    ['bytes=-1', size - 1, size],
    [`bytes=-${size}`, 0, size],
    [`bytes=-${size + 1}`, 0, size],
  ] as const) {
    const { status, headers, body } = await get(id, { range });
    t.equal(status, 206, range);
    t.equal(headers['content-range'], `bytes ${start}-${end - 1}/${size}`);
    t.equal(headers['content-length'], String(end - start));
    t.ok(body.equals(CONTENT.subarray(start, end)), 'the bytes');
  }
  for (const range of [`bytes=${size}-`, 'bytes=-0', 'bytes=9-5', `bytes=${'9'.repeat(400)}-`]) {
    const { status, headers } = await get(id, { range });
    t.match({ status, headers }, { status: 416, headers: { 'content-range': `bytes */${size}` } }, range);
  }
  for (const range of [
    'bytes=0-1,5-6',
    'bytes=0-1,',
    'bytes=a-b',
    'bytes=',
    'bytes',
    'rows=0-1',
    'bytes=--1',
  ]) {
    const { status, body } = await get(id, { range });
    t.match({ status, bytes: body.length }, { status: 200, bytes: size }, `${range}: the whole file`);
  }
  const range = 'bytes=2-3';
  t.equal((await get(id, { range, 'if-range': `"${sha256}"` })).status, 206);
  for (const other of [`W/"${sha256}"`, '"other"', new Date(Date.now() + 60_000).toUTCString()]) {
    t.equal((await get(id, { range, 'if-range': other })).status, 200, other);
  }
});

t.test('a name adds no header, and pretends no ending', async (t) => {
  for (const [name, expected] of [
    ['a"; filename="b.exe', 'a"; filename="b.exe'],
    ['a\\"b.csv', '"b.csv'],
    ['x\r\nX-Evil: 1\r\n\r\n<script>', 'script>'],
    ['\u202ecsv.exe', 'csv.exe'],
    ["naïve 'é' %41 €.csv", "naïve 'é' %41 €.csv"],
    ['../../etc/passwd', 'passwd'],
    ['\ud800.csv', '.csv'],
    ['', 'upload'],
  ] as const) {
    const { id } = await makeUpload(server);
    await server.pool.query('UPDATE uploads SET filename = $2 WHERE id = $1', [id, name]);
    const { status, headers } = await get(id);
    t.equal(status, 200);
    t.notOk('x-evil' in headers);
    const disposition = headers['content-disposition'] ?? '';
    t.match(disposition, /^attachment; filename[\x20-\x7e]+$/);
    const { filename = '' } = parse(disposition).parameters;
    t.ok(filename.endsWith(expected), `${JSON.stringify(name)} is ${filename}`);
  }
});

t.test('a file that is not there, or of another client', async (t) => {
  const receiving = await makeUpload(server, { state: 'receiving' });
  t.match(JSON.parse(String((await get(receiving.id)).body)), {
    status: 409,
    type: 'urn:tether:problem:not-stored',
  });
  for (const state of ['processing', 'completed', 'failed', 'cancelling', 'cancelled'] as const) {
    t.equal((await get((await makeUpload(server, { state })).id)).status, 200, state);
  }
  const gone = await makeUpload(server);
  t.equal((await get(gone.id, {}, { token: 'bolt' })).status, 404);
  await server.objects.delete(gone.objectKey);
  t.equal((await get(gone.id)).status, 404);
  t.equal((await get(gone.id, {}, { method: 'HEAD' })).status, 404);
});

t.test('a file that has become shorter does not look whole', async (t) => {
  const { id } = await makeUpload(server, { content: CONTENT });
  const file = (await readdir(directory, { recursive: true })).find((path) => path.includes(id));
  await truncate(join(directory, file ?? 'none'), 1_000_000);
  await t.rejects(get(id), { message: 'terminated' });
});

t.test('a client that leaves lets go of the file', async (t) => {
  const { id } = await makeUpload(server, { content: randomBytes(30_000_000) });
  const open = async () => {
    const fds = await readdir('/proc/self/fd');
    const targets = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    return targets.some((target) => target.includes(id));
  };
  const client = await RawClient.open(server.gateway.port);
  client.socket.pause();
  client.write(`GET /uploads/${id}/file HTTP/1.1\r\nHost: a\r\n${bearer('acme')}\r\n\r\n`);
  await until('the file is open', open);
  t.equal(server.gateway.pending, 1, 'a drain waits for it');
  client.reset();
  await until('the file is closed', async () => !(await open()));
  await until('a drain does not wait', () => server.gateway.pending === 0);
});

t.test('out of S3: an outage before is a 503, one midway cuts the connection', async (t) => {
  const s3 = await startTestS3Server(t);
  const proxy = await startFaultProxy(t, s3.port);
  const from = await startTestUploads(t, {
    postgres,
    objects: { driver: 's3', url: s3.url('files', proxy.port) },
  });
  const { id } = await makeUpload(from, { content: CONTENT });
  t.ok((await get(id, {}, { from })).body.equals(CONTENT));
  t.ok((await get(id, { range: 'bytes=7-8' }, { from })).body.equals(CONTENT.subarray(7, 9)));
  await proxy.set({ kind: 'slow', bytesPerSecond: 1_000_000 });
  const url = `http://127.0.0.1:${from.gateway.port}/uploads/${id}/file`;
  const begun = await fetch(url, { headers: { authorization: 'Bearer acme' } });
  t.equal(begun.status, 200);
  await proxy.set({ kind: 'refuse' });
  await t.rejects(begun.arrayBuffer(), { message: 'terminated' });
  t.match(JSON.parse(String((await get(id, {}, { from })).body)), { type: 'urn:tether:problem:unavailable' });

  await proxy.set({ kind: 'slow', bytesPerSecond: 1_000_000 });
  const leaving = new AbortController();
  const { signal } = leaving;
  t.equal((await fetch(url, { headers: { authorization: 'Bearer acme' }, signal })).status, 200);
  await proxy.set({ kind: 'stall' });
  // What was on its way has come then.
  await new Promise((resolve) => setTimeout(resolve, 300));
  leaving.abort();
  await until('a silent store is not waited for', () => from.gateway.pending === 0, 2_000);
});
