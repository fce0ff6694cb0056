import papaparse from 'papaparse';
import t from 'tap';
import { INVALID_REASONS } from '../../actors/upload/debtor/reasons.js';
import { SKIP_REASONS } from '../../actors/upload/write/skips.js';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { startFaultProxy } from '../../storage/objects/test-fault-proxy.js';
import { createPool, type Pool } from '../../storage/postgres/pool.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { RawClient } from '../test/raw-client.js';
import { makeUpload } from './test/make-upload.js';
import { bearer, startTestUploads } from './test/start.js';

const postgres = await startTestPostgres(t);
const { pool } = postgres;
/** Pages that were asked for. */
let pages = 0;
const counted: Pool = {
  ...pool,
  connect: () => {
    pages++;
    return pool.connect();
  },
};
const server = await startTestUploads(t, { postgres, parts: { pool: counted } });

async function reject(uploadId: string, line: number, outcome: string, reasons: readonly object[]) {
  await pool.query('INSERT INTO upload_rejects VALUES ($1, $2, $3, $4)', [
    uploadId,
    line,
    outcome,
    JSON.stringify(reasons),
  ]);
}

/** `count` rows from line 2 on, made by the database. */
async function rejectMany(uploadId: string, count: number) {
  await pool.query(
    `INSERT INTO upload_rejects SELECT $1, line, 'invalid',
       jsonb_build_array(jsonb_build_object('code', 'iban-length', 'column', 'iban', 'value', repeat('y', 100) || line))
     FROM generate_series(2, $2 + 1) AS line`,
    [uploadId, count],
  );
}

function get(id: string, { token = 'acme', port = server.gateway.port } = {}) {
  return fetch(`http://127.0.0.1:${port}/uploads/${id}/errors.csv`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

t.test('a line for each reason, in the order of the file', async (t) => {
  const { id } = await makeUpload(server, { state: 'processing', filename: 'März".csv' });
  await reject(id, 12, 'skipped', [{ code: 'duplicate-in-file', column: '', value: '' }]);
  await reject(id, 13, 'skipped', [{ code: 'of-a-later-version', column: '', value: '' }]);
  await reject(id, 3, 'invalid', [
    { code: 'iban-length', column: 'IBAN', value: 'XX00…12' },
    { code: 'amount-negative', column: '=cmd("x")', value: '-5,00' },
  ]);
  await reject((await makeUpload(server)).id, 2, 'invalid', [{ code: 'of-another', column: '', value: '' }]);
  const response = await get(id);
  t.equal(response.status, 200);
  t.match(Object.fromEntries(response.headers), {
    'content-type': 'text/csv; charset=utf-8; header=present',
    'content-disposition':
      /^attachment; filename="M\?rz\\"-errors.csv"; filename\*=UTF-8''M%C3%A4rz%22-errors.csv$/,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  t.strictSame([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf], 'a byte order mark');
  t.strictSame(papaparse.parse(bytes.subarray(3).toString('utf8'), { delimiter: ',' }).data, [
    ['line', 'outcome', 'code', 'column', 'value', 'message'],
    ['3', 'invalid', 'iban-length', 'IBAN', 'XX00…12', INVALID_REASONS['iban-length']],
    ['3', 'invalid', 'amount-negative', `'=cmd("x")`, "'-5,00", INVALID_REASONS['amount-negative']],
    ['12', 'skipped', 'duplicate-in-file', '', '', SKIP_REASONS['duplicate-in-file']],
    ['13', 'skipped', 'of-a-later-version', '', '', ''],
    [''],
  ]);
});

t.test('without a row there is the head alone; another client has none', async (t) => {
  const { id } = await makeUpload(server, { state: 'receiving' });
  t.equal(await (await get(id)).text(), 'line,outcome,code,column,value,message\r\n');
  t.equal((await get(id, { token: 'bolt' })).status, 404);
  const path = `/uploads/${id}/errors.csv`;
  t.match(await server.askAs({ path, method: 'HEAD' }), { status: 200, body: '' });
});

t.test('exactly a page, and one more', async (t) => {
  for (const count of [999, 1000, 1001, 2000]) {
    const { id } = await makeUpload(server);
    await rejectMany(id, count);
    t.equal((await (await get(id)).text()).split('\r\n').length, count + 2, `${count} rows`);
  }
});

/** A million by hand: to make them takes the database eight seconds. */
const COUNT = Number(process.env.TEST_ROWS ?? 200_000);

t.test('very many rows, in bounded memory, as fast as they are read', async (t) => {
  const { id } = await makeUpload(server);
  await rejectMany(id, COUNT);
  const before = process.memoryUsage().rss;
  const response = await get(id);
  let lines = 0;
  let peak = 0;
  let tail = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    lines += chunk.split('\n').length - 1;
    tail = (tail + chunk).slice(-200);
    peak = Math.max(peak, process.memoryUsage().rss - before);
  }
  t.equal(lines, COUNT + 1);
  t.match(tail, new RegExp(`\\n${COUNT + 1},invalid,iban-length,iban,y+${COUNT + 1},`));
  t.ok(peak < 100 * 1024 * 1024, `${Math.round(peak / 1024 / 1024)} MiB more at its peak`);

  const client = await RawClient.open(server.gateway.port);
  client.socket.pause();
  client.write(`GET /uploads/${id}/errors.csv HTTP/1.1\r\nHost: a\r\n${bearer('acme')}\r\n\r\n`);
  pages = 0;
  let last = -1;
  await until('the pages wait for the reader', async () => {
    const same = pages === last && pages > 0 && pool.counts.idle === pool.counts.total;
    last = pages;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return same;
  });
  t.ok(pages < COUNT / 1000 / 2, `${pages} of ${COUNT / 1000} pages were read, and no connection is held`);
  client.reset();
  await until('it is over', () => server.gateway.pending === 0);
});

t.test('Postgres goes away: before it is a 503, midway the connection is cut', async (t) => {
  const proxy = await startFaultProxy(t, Number(new URL(postgres.url).port));
  const url = new URL(postgres.url);
  url.port = String(proxy.port);
  const own = createPool({ url: url.href, connectionsMax: 2, applicationName: 'test', logger: silentLogger });
  t.teardown(() => own.end());
  const { gateway } = await startTestUploads(t, { postgres: { pool: own } });
  const { id } = await makeUpload(server);
  await rejectMany(id, 50_000);
  await proxy.set({ kind: 'slow', bytesPerSecond: 2_000_000 });
  const begun = await get(id, { port: gateway.port });
  t.equal(begun.status, 200);
  await proxy.set({ kind: 'refuse' });
  await t.rejects(begun.text(), { message: 'terminated' });
  t.match(await (await get(id, { port: gateway.port })).json(), { type: 'urn:tether:problem:unavailable' });
});
