import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { Upload } from '../../actors/upload/model.js';
import { until } from '../../runtime/testing/until.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { type RequestParts, request } from '../test/raw-client.js';
import { CSV, formOf, PNG, sha256Of } from './test/files.js';
import { begin, form, json, latest, NOTHING, post, problemOf } from './test/posting.js';
import { bearer, startTestUploads } from './test/start.js';

const MIB = 1024 * 1024;
const postgres = await startTestPostgres(t);

t.test('a file is stored, written down and put on the log before the answer', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const cases: readonly [string, RequestParts, Partial<Upload>][] = [
    ['raw', post(CSV), { via: 'raw', filename: 'upload', bytesExpected: CSV.length }],
    ['a name in the query', post(CSV, [], '?filename=m%C3%A4rz.csv'), { filename: 'märz.csv' }],
    [
      'a name in the head',
      post(CSV, ['Content-Disposition: attachment; filename="a b.csv"']),
      { filename: 'a b.csv' },
    ],
    [
      'an encoded name',
      post(CSV, ["Content-Disposition: attachment; filename*=UTF-8''m%C3%A4rz.csv"]),
      { filename: 'märz.csv' },
    ],
    ['a form', form(formOf(CSV, 'a.csv')), { via: 'form', filename: 'a.csv', bytesExpected: undefined }],
  ];
  for (const [what, parts, expected] of cases) {
    const response = await server.askAs(parts);
    t.equal(response.status, 201, what);
    const upload = await server.latest();
    const seen = json(response);
    t.match(upload, {
      state: 'stored',
      owner: 'acme',
      bytes: CSV.length,
      sha256: sha256Of(CSV),
      process: true,
      ...expected,
    });
    t.match(response.headers, { location: `/uploads/${upload?.id}`, 'cache-control': 'no-store' });
    t.match(seen, {
      id: upload?.id,
      state: 'stored',
      bytes: CSV.length,
      sha256: sha256Of(CSV),
      mediaType: 'text/csv',
    });
    t.strictSame(server.enqueued.splice(0), [{ uploadId: upload?.id, type: 'process' }]);
    const stream = await server.objects.read(upload?.objectKey ?? '');
    t.equal(Buffer.concat(await stream.toArray()).toString(), CSV);
  }
});

t.test('names that are no names of files are made harmless', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const names: Readonly<Record<string, string>> = {
    '../../etc/passwd': 'passwd',
    'C:\\temp\\x.csv': 'x.csv',
    '..': 'upload',
    'nul\u0000byte.csv': 'nulbyte.csv',
    'a\u202Evsc.exe': 'avsc.exe',
    [`${'n'.repeat(1000)}.csv`]: `${'n'.repeat(196)}.csv`,
  };
  for (const [given, clean] of Object.entries(names)) {
    const inForm = await server.askAs(form(formOf(CSV, given)));
    t.match(json(inForm), { filename: clean }, JSON.stringify(given.slice(0, 30)));
    const inQuery = await server.askAs(post(CSV, [], `?filename=${encodeURIComponent(given)}`));
    t.match(json(inQuery), { filename: clean }, JSON.stringify(given.slice(0, 30)));
  }
});

t.test('what is refused at the head leaves no row', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const before = (await server.latest())?.id;
  const token = 'acme';
  const cases: readonly [string, RequestParts, number, string, string?][] = [
    ['no token', post(CSV), 401, 'token-required', 'nobody'],
    ['a token that only reads', post(CSV), 403, 'scope-missing', 'acme-reader'],
    ['to keep without the right', post(CSV, [], '?process=false'), 403, 'scope-missing'],
    ['an unknown query', post(CSV, [], '?proces=false'), 400, 'invalid-query'],
    ['a query twice', post(CSV, [], '?process=true&process=false'), 400, 'invalid-query'],
    ['neither true nor false', post(CSV, [], '?process=no'), 400, 'invalid-query'],
    ['no body', { method: 'POST', path: '/uploads' }, 400, 'empty-file'],
    ['an empty body', post(''), 400, 'empty-file'],
    ['a digest that is none', post(CSV, ['Content-Digest: sha-256=:abc:']), 400, 'invalid-header'],
    ['an empty key', post(CSV, ['Idempotency-Key: ']), 400, 'invalid-header'],
    ['a long key', post(CSV, [`Idempotency-Key: ${'k'.repeat(256)}`]), 400, 'invalid-header'],
    ['a key with a blank', post(CSV, ['Idempotency-Key: a b']), 400, 'invalid-header'],
  ];
  for (const [what, parts, status, type, as = token] of cases) {
    const response = await server.askAs(parts, as);
    t.equal(response.status, status, what);
    t.equal(problemOf(response), type, what);
  }
  const large = await begin(server, 600 * MIB);
  const refused = await large.response();
  t.match([refused.status, problemOf(refused)], [413, 'content-too-large'], 'before a byte is sent');
  t.equal((await server.latest())?.id, before);
  t.strictSame(await server.stored(), NOTHING);
});

t.test('what is refused by its content leaves a row that says why, and nothing else', async (t) => {
  const limits = { textBytesMax: 10 * MIB, xlsxBytesMax: MIB };
  const server = await startTestUploads(t, { postgres, parts: { limits } });
  const png = PNG.toString('latin1');
  const digest = Buffer.from(sha256Of('another'), 'hex').toString('base64');
  const cases: readonly [string, RequestParts, number, string, string][] = [
    ['a picture named csv', form(formOf(png, 'a.csv')), 415, 'not-a-table', 'not-a-table'],
    ['a raw picture', post(png, [], '?filename=a.csv'), 415, 'not-a-table', 'not-a-table'],
    ['a form without a file', form('nothing'), 400, 'malformed-form', 'malformed-form'],
    ['an empty file', form(formOf('', 'a.csv')), 400, 'empty-file', 'empty'],
    [
      'another digest',
      post(CSV, [`Content-Digest: sha-256=:${digest}:`]),
      422,
      'wrong-digest',
      'wrong-checksum',
    ],
    [
      'another digest of a form',
      form(formOf(CSV, 'a'), [`Repr-Digest: sha-256=:${digest}:`]),
      422,
      'wrong-digest',
      'wrong-checksum',
    ],
    [
      'too much in a form',
      form(formOf('x'.repeat(10 * MIB + 1), 'a.csv')),
      413,
      'content-too-large',
      'too-large',
    ],
    [
      'too large a workbook',
      post(`PK\x03\x04${'\0'.repeat(2 * MIB)}`),
      413,
      'content-too-large',
      'too-large',
    ],
  ];
  for (const [what, parts, status, type, code] of cases) {
    // Latin1: the bytes of a picture are not those of a text.
    const sender = await server.client();
    const { body = '', headers = [], ...rest } = parts;
    sender.write(
      request({ ...rest, headers: [bearer('acme'), ...headers, `Content-Length: ${body.length}`] }),
    );
    sender.write(Buffer.from(body, 'latin1'));
    const response = await sender.response();
    t.equal(response.status, status, what);
    t.equal(problemOf(response), type, what);
    t.match(await server.latest(), { state: 'failed', failure: { code } }, what);
    t.strictSame(await server.stored(), NOTHING, what);
  }
  const chunked = await server.client();
  chunked.write(
    request({
      method: 'POST',
      path: '/uploads',
      headers: [bearer('acme'), 'Content-Type: text/csv', 'Transfer-Encoding: chunked'],
    }),
  );
  for (let i = 0; i < 12; i++) chunked.write(`${MIB.toString(16)}\r\n${'x'.repeat(MIB)}\r\n`);
  t.equal((await chunked.response()).status, 413, 'of unknown length');
  t.strictSame(await server.stored(), NOTHING);
  t.strictSame(server.enqueued, []);
});

t.test('a digest that is right is no hindrance', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const of = (body: string) => Buffer.from(sha256Of(body), 'hex').toString('base64');
  const body = formOf(CSV, 'a.csv');
  for (const parts of [
    post(CSV, [`Content-Digest: sha-256=:${of(CSV)}:`]),
    post(CSV, [`Repr-Digest: sha-512=:YQ==:, sha-256=:${of(CSV)}:;x=1`]),
    post(CSV, ['Content-Digest: md5=:YQ==:']),
    form(body, [`Content-Digest: sha-256=:${of(body)}:`]),
  ]) {
    t.equal((await server.askAs(parts)).status, 201, String(parts.headers?.at(-1)));
  }
});

t.test('a file is only kept when it is asked for by who may', async (t) => {
  const server = await startTestUploads(t, { postgres });
  t.equal((await server.askAs(post(CSV, [], '?process=false'), 'boss')).status, 201);
  t.match(await server.latest(), { state: 'stored', process: false, owner: 'boss' });
  t.strictSame(server.enqueued, []);
});

t.test('one key is one upload', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const key = `Idempotency-Key: ${randomUUID()}`;
  const first = await server.askAs(post(CSV, [key]));
  t.equal(first.status, 201);
  t.equal(first.headers['idempotency-replayed'], undefined);
  for (const parts of [post(CSV, [key]), form(formOf(CSV, 'b.csv'), [key])]) {
    const again = await server.askAs(parts);
    t.match(again, {
      status: 201,
      headers: { 'idempotency-replayed': 'true', location: first.headers.location },
    });
    t.equal(json(again).id, json(first).id);
  }
  const other = await server.askAs(post(`${CSV}x`, [key]));
  t.match([other.status, problemOf(other)], [422, 'idempotency-key-reused']);
  const picture = await server.askAs(post('\0\0\0', [key]));
  t.equal(picture.status, 422, 'neither is what would be refused');
  const bolt = await server.askAs(post(`${CSV}x`, [key]), 'bolt');
  t.equal(bolt.status, 201, 'another client has keys of its own');
  t.equal((await server.stored()).objects.length, 2);
  await until('no stream is left open', () => server.intake.active === 0);
});

t.test('a request that is sent again needs no second place among those under way', async (t) => {
  const server = await startTestUploads(t, { postgres, activeMax: 1 });
  const key = `Idempotency-Key: ${randomUUID()}`;
  t.equal((await server.askAs(post(CSV, [key]))).status, 201);
  t.match(await server.askAs(post(CSV, [key])), { status: 201, headers: { 'idempotency-replayed': 'true' } });
});

t.test('two requests with one key at once are one upload', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const headers = [`Idempotency-Key: ${randomUUID()}`];
  const first = await begin(server, CSV.length, headers);
  first.write(CSV.slice(0, 5));
  await latest(server, ({ state }) => state === 'receiving');
  const second = await server.askAs(post(CSV, headers));
  t.match([second.status, problemOf(second)], [409, 'idempotency-key-in-use']);
  t.ok(second.headers['retry-after']);
  first.write(CSV.slice(5));
  t.equal((await first.response()).status, 201);
  t.equal((await server.askAs(post(CSV, headers))).headers['idempotency-replayed'], 'true');

  const race = [`Idempotency-Key: ${randomUUID()}`];
  const answers = await Promise.all(Array.from({ length: 8 }, () => server.askAs(post(CSV, race))));
  t.ok(
    answers.every(({ status }) => status === 201 || status === 409),
    answers.map(({ status }) => status).join(),
  );
  t.equal(
    answers.filter(({ status, headers: h }) => status === 201 && h['idempotency-replayed'] === undefined)
      .length,
    1,
  );
  t.equal((await server.stored()).objects.length, 2);

  const failing = [`Idempotency-Key: ${randomUUID()}`];
  t.equal((await server.askAs(post(PNG.toString('latin1'), failing))).status, 415);
  t.equal((await server.askAs(post(CSV, failing))).status, 201, 'the key of what was never stored is free');
});

t.test('a client that asks whether to go on is told', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const sender = await begin(server, CSV.length, ['Expect: 100-continue']);
  t.equal((await sender.response()).status, 100);
  sender.write(CSV);
  t.equal((await sender.response()).status, 201);
  sender.write(request({ ...post(CSV), headers: [bearer('acme')] }));
  t.equal((await sender.response()).status, 201, 'and the connection stays');

  const large = await begin(server, 60 * MIB, ['Expect: 100-continue']);
  t.equal((await large.response()).status, 100);
  large.write(PNG);
  t.equal((await large.response()).status, 415);
});

t.test('an upload may take as long as the longest expiry that can be set', async (t) => {
  const server = await startTestUploads(t, { postgres, parts: { expiryMs: 2_592_000_000 } });
  const sender = await begin(server, CSV.length);
  sender.write(CSV.slice(0, 5));
  await latest(server, ({ state }) => state === 'receiving');
  sender.write(CSV.slice(5));
  t.equal((await sender.response()).status, 201);
});
