import t from 'tap';
import { MessageIdSource } from '../../runtime/message-id.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { objectKeyOf, TEXT_MEDIA_TYPE } from './model.js';
import { type NewUpload, Uploads } from './uploads.js';

const { pool } = await startTestPostgres(t);
const uploads = new Uploads(pool);
const ids = new MessageIdSource();
const SHA256 = 'ab'.repeat(32);
const FILE = { bytes: 10, sha256: SHA256, mediaType: TEXT_MEDIA_TYPE } as const;

function fresh(more: Partial<NewUpload> = {}): NewUpload {
  const id = ids.next(Date.now());
  return { id, owner: 'acme', via: 'raw', filename: 'a.csv', objectKey: objectKeyOf(id), ...more };
}

t.test('an upload comes in, is stored, and is read as it is', async (t) => {
  const { outcome, upload } = await uploads.create(fresh({ bytesExpected: 10 }));
  t.equal(outcome, 'created');
  t.match(upload, { state: 'receiving', bytes: 0, bytesExpected: 10, version: 1, sha256: undefined });
  await uploads.received(upload.id, 4, 'multipart-1');
  t.match(await uploads.get(upload.id), { bytes: 4, multipart: 'multipart-1', version: 2 });
  const stored = await uploads.stored(upload.id, { ...FILE, filename: 'b.csv' });
  t.match(stored, {
    state: 'stored',
    filename: 'b.csv',
    multipart: undefined,
    version: 3,
    ...{ sha256: SHA256 },
  });
  t.type(stored?.storedAt, Date);
  t.strictSame(await uploads.get(upload.id), stored);
  t.strictSame(await uploads.getMany([upload.id, ids.next(Date.now())]), [stored]);
});

t.test('a change from a state that it may not start from changes nothing', async (t) => {
  const { upload } = await uploads.create(fresh());
  await uploads.cancel(upload.id);
  t.equal(await uploads.stored(upload.id, FILE), undefined, 'cancelled meanwhile');
  t.equal(await uploads.received(upload.id, 1), undefined);
  t.equal(await uploads.failed(upload.id, ['receiving'], 'x', ''), undefined);
  t.equal(await uploads.cancel(upload.id), undefined, 'again');
  t.equal(await uploads.remove(upload.id), false, 'not over');
  t.match(await uploads.get(upload.id), { state: 'cancelling', version: 2 });
  t.equal(await uploads.get(ids.next(Date.now())), undefined);
});

t.test('what failed says why, and can be removed with its rejects', async (t) => {
  const { upload } = await uploads.create(fresh());
  const failed = await uploads.failed(upload.id, ['receiving'], 'client-gone', 'the client left');
  t.match(failed, { state: 'failed', failure: { code: 'client-gone', detail: 'the client left' } });
  await pool.query(`INSERT INTO upload_rejects VALUES ($1, 2, 'invalid', '[]')`, [upload.id]);
  t.equal(await uploads.remove(upload.id), true);
  t.equal(await uploads.get(upload.id), undefined);
  t.equal((await pool.query('SELECT FROM upload_rejects WHERE upload_id = $1', [upload.id])).rowCount, 0);
});

t.test('what is only kept is over when it is stored', async (t) => {
  const { upload } = await uploads.create(fresh({ process: false }));
  t.equal(await uploads.remove(upload.id), false, 'while it comes in');
  await uploads.stored(upload.id, FILE);
  t.equal(await uploads.cancel(upload.id), undefined);
  t.equal(await uploads.remove(upload.id), true);
});

t.test('an idempotency key finds its upload, of its owner alone', async (t) => {
  const [first, second] = await Promise.all([
    uploads.create(fresh({ idempotencyKey: 'k' })),
    uploads.create(fresh({ idempotencyKey: 'k' })),
  ]);
  t.strictSame([first.outcome, second.outcome].sort(), ['created', 'known'], 'two at once');
  t.equal(first.upload.id, second.upload.id);
  const other = await uploads.create(fresh({ idempotencyKey: 'k', owner: 'other' }));
  t.equal(other.outcome, 'created');
  t.equal((await uploads.create(fresh({ idempotencyKey: 'l' }))).outcome, 'created', 'another key');
  await uploads.stored(first.upload.id, FILE);
  await uploads.failed(first.upload.id, ['stored'], 'x', '');
  t.equal((await uploads.create(fresh({ idempotencyKey: 'k' }))).outcome, 'known', 'stored and failed later');
});

t.test('a key is free again when its upload was never stored', async (t) => {
  const { upload } = await uploads.create(fresh({ idempotencyKey: 'again' }));
  await uploads.failed(upload.id, ['receiving'], 'client-gone', '');
  const next = await uploads.create(fresh({ idempotencyKey: 'again' }));
  t.equal(next.outcome, 'created');
  t.not(next.upload.id, upload.id);
});

t.test('a list has the latest first, page by page, and what is asked for', async (t) => {
  const made: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { upload } = await uploads.create(fresh({ owner: 'lister', filename: `${i}.csv` }));
    made.unshift(upload.id);
  }
  const idsOf = async (filter: Partial<Parameters<Uploads['list']>[0]>) =>
    (await uploads.list({ owner: 'lister', limit: 10, ...filter })).map(({ id }) => id);
  t.strictSame(await idsOf({}), made);
  t.strictSame(await idsOf({ limit: 2 }), made.slice(0, 2));
  t.strictSame(await idsOf({ limit: 2, before: made[1] ?? '' }), made.slice(2, 4));
  await uploads.stored(made[3] ?? '', FILE);
  t.strictSame(await idsOf({ states: ['stored', 'failed'] }), [made[3]]);
  t.strictSame(await idsOf({ sha256: SHA256 }), [made[3]]);
  t.strictSame(await idsOf({ filename: '4.csv' }), [made[0]]);
  t.strictSame(await idsOf({ createdFrom: new Date(Date.now() + 60_000) }), []);
  t.strictSame(await idsOf({ createdBefore: new Date(Date.now() - 60_000) }), []);
});
