import t from 'tap';
import { MessageIdSource } from '../../runtime/message-id.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { objectKeyOf, TEXT_MEDIA_TYPE, type UploadState, type UploadVia } from './model.js';
import { StaleUploads } from './stale-uploads.js';
import { Uploads } from './uploads.js';

const { pool } = await startTestPostgres(t);
const uploads = new Uploads(pool);
const stale = new StaleUploads(pool);
const ids = new MessageIdSource();
const FAILURE = { code: 'abandoned', detail: 'gone' };

t.afterEach(async () => {
  await pool.query('TRUNCATE uploads, upload_keys, tus_uploads, dead_letters');
});

async function make(state: UploadState, silentSeconds: number, via: UploadVia = 'raw'): Promise<string> {
  const id = ids.next(Date.now());
  await uploads.create({ id, owner: 'acme', via, filename: 'a.csv', objectKey: objectKeyOf(id) });
  await uploads.received(id, 1, `multipart of ${id}`);
  if (state !== 'receiving') {
    await uploads.stored(id, { bytes: 1, sha256: 'ab'.repeat(32), mediaType: TEXT_MEDIA_TYPE });
  }
  await pool.query(
    `UPDATE uploads SET state = $2, updated_at = now() - $3 * interval '1 second' WHERE id = $1`,
    [id, state, silentSeconds],
  );
  return id;
}

t.test('only what has been silent while receiving is failed, once', async (t) => {
  const abandoned = await make('receiving', 130);
  const others = [await make('receiving', 100), await make('stored', 999), await make('processing', 999)];
  const direct = await make('receiving', 130, 'direct');
  const [first, second] = await Promise.all([
    stale.failAbandoned(['raw', 'form'], 120_000, FAILURE, 10),
    stale.failAbandoned(['raw', 'form'], 120_000, FAILURE, 10),
  ]);
  t.strictSame(
    [...first, ...second],
    [{ id: abandoned, objectKey: objectKeyOf(abandoned), multipart: `multipart of ${abandoned}` }],
    'of two sweeps at once one takes it, with what it left in the store',
  );
  t.match(await uploads.get(abandoned), { state: 'failed', failure: FAILURE });
  for (const id of [...others, direct]) t.not((await uploads.get(id))?.state, 'failed');
  t.equal(await uploads.stored(abandoned, { bytes: 1, sha256: '', mediaType: TEXT_MEDIA_TYPE }), undefined);
});

t.test('of many sweeps at once each upload is taken by one', async (t) => {
  for (let i = 0; i < 40; i++) await make('receiving', 200);
  const taken = await Promise.all(
    Array.from({ length: 4 }, () => stale.failAbandoned(['raw'], 120_000, FAILURE, 40)),
  );
  const found = taken.flat().map(({ id }) => id);
  t.equal(found.length, new Set(found).size);
});

t.test('a sweep takes so many at a time', async (t) => {
  for (let i = 0; i < 5; i++) await make('receiving', 200);
  t.equal((await stale.failAbandoned(['raw'], 120_000, FAILURE, 3)).length, 3);
  t.equal((await stale.failAbandoned(['raw'], 120_000, FAILURE, 3)).length, 2);
});

t.test('what never got on the log is found, and found again when nothing came of it', async (t) => {
  const stored = await make('stored', 40);
  const cancelling = await make('cancelling', 40);
  const sent = await make('stored', 40);
  await uploads.enqueued(sent);
  await make('stored', 10);
  const kept = await make('stored', 40);
  await pool.query('UPDATE uploads SET process = false WHERE id = $1', [kept]);
  const both = [
    { id: stored, type: 'process' },
    { id: cancelling, type: 'cancel' },
  ];
  t.strictSame(await sorted(), both);
  t.strictSame(await sorted(), [], 'not before the time is over again');
  await pool.query(`UPDATE uploads SET updated_at = now() - interval '1 minute' WHERE id = ANY ($1)`, [
    [stored, cancelling],
  ]);
  t.strictSame(await sorted(), both);

  async function sorted() {
    return [...(await stale.takeUnsent(30_000, 10))].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
});

t.test('an upload whose message is a dead letter has failed', async (t) => {
  const dead = await make('processing', 0);
  const replayed = await make('processing', 0);
  const done = await make('completed', 0);
  const alive = await make('processing', 0);
  for (const [id, state] of [
    [dead, 'waiting'],
    [replayed, 'replayed'],
    [done, 'waiting'],
  ] as const) {
    await pool.query(
      `INSERT INTO dead_letters (id, actor, key, dedupe, received_at, traceparent, payload, cause_code, cause_message, cause_stack,
         attempts, dead_at, state, replayed_at)
       VALUES ($1, 'upload', $2, '', 0, '', '', 'TETHER_X', 'secret', '', 5, 0, $3, $4)`,
      [ids.next(Date.now()), id, state, state === 'replayed' ? 1 : null],
    );
  }
  t.strictSame(await stale.failGivenUp(10), [dead]);
  const failed = await uploads.get(dead);
  t.match(failed, { state: 'failed', failure: { code: 'processing-failed', detail: /TETHER_X/ } });
  t.notMatch(failed?.failure?.detail, /secret/);
  t.equal((await uploads.get(alive))?.state, 'processing');
});

t.test('multiparts in use are those of uploads that are open', async (t) => {
  const open = await make('receiving', 0);
  const failed = await make('receiving', 0);
  await pool.query(`UPDATE uploads SET state = 'failed' WHERE id = $1`, [failed]);
  await pool.query(
    `INSERT INTO tus_uploads (id, owner, object_key, multipart, expires_at) VALUES ($1, 'acme', 'uploads/t', 'of tus', now())`,
    [ids.next(Date.now())],
  );
  const used = await stale.multipartsInUse([
    `multipart of ${open}`,
    `multipart of ${failed}`,
    'of tus',
    'of nobody',
  ]);
  t.strictSame([...used].sort(), [`multipart of ${open}`, 'of tus']);
});
