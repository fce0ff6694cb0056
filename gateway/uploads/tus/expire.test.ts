import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { objectKeyOf } from '../../../actors/upload/model.js';
import { Uploads } from '../../../actors/upload/uploads.js';
import { silentLogger } from '../../../runtime/logger.js';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import type { UploadParts } from '../parts.js';
import { expireTus } from './expire.js';
import { CSV, idOf, isProblem, startTus, type TestTus } from './test/start-tus.js';

const postgres = await startTestPostgres(t);
const EXPIRY_MS = 3_600_000;
const EMPTY = { objects: [], multiparts: [] };

interface Swept extends TestTus {
  sweep(limit?: number): Promise<number>;
  /** As if the time had passed. */
  overdue(path: string): Promise<unknown>;
  state(path: string): Promise<string | undefined>;
}

async function start(t: Test): Promise<Swept> {
  // One at a time, and each sweep has the table for itself.
  await postgres.pool.query('DELETE FROM tus_uploads');
  await postgres.pool.query('DELETE FROM uploads');
  const server = await startTus(t, { postgres, parts: { expiryMs: EXPIRY_MS } });
  const { pool, objects, intake, enqueued } = server;
  const context: UploadParts = {
    authenticator: { authenticate: async () => undefined },
    uploads: new Uploads(pool),
    pool,
    objects,
    intake,
    limits: { textBytesMax: 1, xlsxBytesMax: 1 },
    expiryMs: EXPIRY_MS,
    enqueue: async (uploadId, type) => {
      enqueued.push({ uploadId, type });
    },
    nextId: randomUUID,
    logger: silentLogger,
    now: Date.now,
  };
  return {
    ...server,
    sweep: (limit = 100) => expireTus(context, limit),
    overdue: (path) =>
      pool.query(`UPDATE tus_uploads SET expires_at = now() - interval '1 s' WHERE id = $1`, [idOf(path)]),
    async state(path) {
      const { rows } = await pool.query<{ readonly state: string }>(
        'SELECT state FROM tus_uploads WHERE id = $1',
        [idOf(path)],
      );
      return rows[0]?.state;
    },
  };
}

t.test('what has expired is given up, and remembered for a while', async (t) => {
  const { create, patch, sweep, overdue, stored, latest, state, tus } = await start(t);
  const path = await create('Upload-Length: 17');
  await patch(path, 0, CSV.slice(0, 5));
  t.equal(await sweep(), 0, 'not before its time');
  t.equal(await state(path), 'open');
  await overdue(path);
  t.equal(await sweep(), 1);
  t.match(await latest(), { state: 'failed', failure: { code: 'expired' } });
  t.strictSame(await stored(), EMPTY);
  t.equal(await state(path), 'terminated');
  isProblem(t, await patch(path, 5, CSV.slice(5)), 410, 'upload-gone');
  t.equal(await sweep(), 0, 'once');
  await overdue(path);
  t.equal(await sweep(), 1);
  t.equal(await state(path), undefined);
  t.equal((await tus('HEAD', path)).status, 404);
});

t.test('a PATCH puts it off', async (t) => {
  const { create, patch, sweep, pool, state } = await start(t);
  const path = await create('Upload-Length: 17');
  await pool.query(`UPDATE tus_uploads SET expires_at = now() + interval '1 s' WHERE id = $1`, [idOf(path)]);
  const { headers } = await patch(path, 0, 'name,');
  const inMs = Date.parse(headers['upload-expires'] ?? '') - Date.now();
  t.ok(inMs > EXPIRY_MS - 10_000 && inMs <= EXPIRY_MS + 1_000, `in ${inMs} ms`);
  t.equal(await sweep(), 0);
  t.equal(await state(path), 'open');
});

t.test('parts expire, also those that are whole; an upload that is complete does not', async (t) => {
  const { create, part, patch, sweep, overdue, tus, objects, state, latest } = await start(t);
  const whole = await part(CSV);
  const open = await create('Upload-Concat: partial', 'Upload-Length: 17');
  await patch(open, 0, 'name,');
  const final = (await tus('POST', '/uploads/tus', [`Upload-Concat: final;${whole}`])).headers.location ?? '';
  for (const path of [whole, open]) await overdue(path);
  t.equal(await sweep(), 2);
  const kept = await objects.list('', { limit: 10 });
  t.strictSame(
    kept.map(({ key }) => key),
    [objectKeyOf(idOf(final))],
  );
  t.equal(await state(final), 'complete');
  t.match(await latest(), { state: 'stored' });
  t.equal((await tus('HEAD', final)).status, 200);
});

t.test('nothing that somebody writes to', async (t) => {
  const { create, begin, pool, sweep, overdue, state } = await start(t);
  const path = await create('Upload-Length: 17');
  const client = await begin(path, 0, 17, 'name,');
  while ((await pool.query('SELECT FROM tus_uploads WHERE lease IS NOT NULL')).rowCount === 0);
  await overdue(path);
  t.equal(await sweep(), 0);
  client.write(CSV.slice(5));
  t.equal((await client.response()).status, 204);
  t.equal(await state(path), 'complete');
});

t.test('a sweep that is cut short, or done by several nodes, comes to the same', async (t) => {
  const { create, patch, sweep, overdue, stored, latest, pool, state, objects } = await start(t);
  const paths: string[] = [];
  for (let i = 0; i < 6; i++) {
    const path = await create('Upload-Length: 17');
    await patch(path, 0, 'name,');
    await overdue(path);
    paths.push(path);
  }
  const [cut = ''] = paths;
  await pool.query(`UPDATE tus_uploads SET state = 'terminating' WHERE id = $1`, [idOf(cut)]);
  await objects.put(`${objectKeyOf(idOf(cut))}.tail-left`, Buffer.from('x'));
  const multipart = await objects.beginMultipart(objectKeyOf(idOf(cut)));
  await objects.putPart(objectKeyOf(idOf(cut)), multipart, 1, Buffer.from('x'));
  t.equal(await sweep(2), 2, 'as many as it may');
  await Promise.all([sweep(), sweep(), sweep()]);
  for (const path of paths) t.equal(await state(path), 'terminated');
  t.strictSame(await stored(), EMPTY, 'also of what no row names');
  t.match(await latest(), { state: 'failed', failure: { code: 'expired' } });
});

t.test('what went on elsewhere is finished or emptied', async (t) => {
  const { create, patch, sweep, uploads, enqueued, objects, state, stored, pool } = await start(t);
  const done = await create('Upload-Length: 17');
  await objects.put(objectKeyOf(idOf(done)), Buffer.from(CSV));
  await uploads.stored(idOf(done), { bytes: 17, sha256: '00', mediaType: 'text/csv' });
  const cancelled = await create('Upload-Length: 17');
  await patch(cancelled, 0, 'name,');
  await uploads.cancel(idOf(cancelled));
  const removed = await create('Upload-Length: 17');
  await patch(removed, 0, 'name,');
  await uploads.failed(idOf(removed), ['receiving'], 'x', '');
  await uploads.remove(idOf(removed));
  const orphan = randomUUID();
  await uploads.create({
    id: orphan,
    owner: 'acme',
    via: 'tus',
    filename: 'a.csv',
    objectKey: objectKeyOf(orphan),
  });
  await pool.query(`UPDATE uploads SET updated_at = now() - interval '2 h' WHERE id = $1`, [orphan]);

  t.equal(await sweep(), 4);
  t.equal(await state(done), 'complete');
  t.strictSame(enqueued, [{ uploadId: idOf(done), type: 'process' }]);
  t.equal(await state(cancelled), 'terminated');
  t.match(await uploads.get(idOf(cancelled)), { state: 'cancelling' }, 'the actor ends it');
  t.equal(await state(removed), 'terminated');
  t.match(await uploads.get(orphan), { state: 'failed', failure: { code: 'expired' } });
  t.strictSame(await stored(), { objects: [objectKeyOf(idOf(done))], multiparts: [] });
  t.equal(await sweep(), 0);
});
