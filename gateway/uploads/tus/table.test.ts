import { randomUUID } from 'node:crypto';
import t from 'tap';
import { Uploads } from '../../../actors/upload/uploads.js';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import type { AppendState } from '../intake/intake.js';
import { TusTable } from './table.js';

const EXPIRY_MS = 60_000;
const { pool } = await startTestPostgres(t);
const table = new TusTable(pool, EXPIRY_MS);
const uploads = new Uploads(pool);

async function insert(more: { readonly concat?: 'partial'; readonly lease?: string } = {}): Promise<string> {
  const id = randomUUID();
  await table.insert({ id, owner: 'shop', metadata: '', length: 10, objectKey: `partials/${id}`, ...more });
  return id;
}

const STATE: AppendState = {
  received: 7,
  multipart: 'm',
  parts: [{ number: 1, bytes: 5, etag: '"e"' }],
  tailKey: 'tails/1',
  tailBytes: 2,
  hashState: Buffer.alloc(200, 0xa5).toString('base64'),
};
const overdue = (id: string) =>
  pool.query(`UPDATE tus_uploads SET expires_at = now() - interval '1 s' WHERE id = $1`, [id]);
const leaseRunsOut = (id: string) =>
  pool.query('UPDATE tus_uploads SET lease_until = now() WHERE id = $1', [id]);
const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

t.test('a row comes back as it was saved', async (t) => {
  const id = randomUUID();
  await uploads.create({ id, owner: 'shop', via: 'tus', filename: 'a.csv', objectKey: `uploads/${id}` });
  const beforeMs = Date.now();
  const expiresAt = await table.insert({
    id,
    owner: 'shop',
    uploadId: id,
    metadata: 'filename YQ==',
    length: undefined,
    objectKey: `uploads/${id}`,
  });
  t.ok(Math.abs((expiresAt?.getTime() ?? 0) - beforeMs - EXPIRY_MS) < 5_000, 'when it expires');
  const lease = randomUUID();
  t.match(await table.take(id, lease), { id, length: undefined, append: { received: 0, parts: [] } });
  t.match(await table.save(id, lease, STATE, 10), { saved: true, expiresAt: Date });
  t.match(await table.find(id), {
    id,
    owner: 'shop',
    uploadId: id,
    uploadState: 'receiving',
    isStored: false,
    metadata: 'filename YQ==',
    length: 10,
    concat: undefined,
    append: STATE,
    state: 'open',
    lease: 'none',
  });
  t.strictSame((await table.find(id))?.append, STATE);
  t.equal(await table.find(randomUUID()), undefined);
});

t.test('of many writers at once one has the lease', async (t) => {
  const id = await insert();
  const leases = Array.from({ length: 8 }, () => randomUUID());
  const taken = await Promise.all(leases.map((lease) => table.take(id, lease)));
  t.equal(taken.filter((upload) => upload !== undefined).length, 1);
  t.match(
    taken.find((upload) => upload !== undefined),
    { lease: 'none' },
  );
  const winner = leases.find((_, index) => taken[index] !== undefined) ?? '';
  t.match(await table.find(id), { lease: 'held' });
  t.equal(await table.renew(id, winner), 'renewed');
  await table.want(id);
  t.equal(await table.renew(id, winner), 'wanted');
  t.equal(await table.renew(id, randomUUID()), 'lost');
  await table.release(id, winner);
  const next = randomUUID();
  t.match(await table.take(id, next), { lease: 'none' });
  t.equal(await table.renew(id, next), 'renewed', 'by nobody any more');
});

t.test('a lease that ran out is told of, and its writer changes nothing any more', async (t) => {
  const id = await insert();
  const first = randomUUID();
  const second = randomUUID();
  await table.take(id, first);
  await leaseRunsOut(id);
  t.match(await table.find(id), { lease: 'abandoned' });
  t.match(await table.take(id, second), { lease: 'abandoned' });
  t.match(await table.save(id, first, STATE, 10), { saved: false });
  t.equal(await table.renew(id, first), 'lost');
  await table.release(id, first);
  await table.abandon(id, first);
  t.match(await table.find(id), { lease: 'held', append: { received: 0 } });
  await table.abandon(id, second);
  t.match(await table.take(id, randomUUID()), { lease: 'abandoned' }, 'at once, and told');
});

t.test('what is not open has no lease', async (t) => {
  const complete = await insert();
  await table.complete(complete, 10);
  const terminated = await insert();
  t.equal(await table.terminate(terminated), true);
  t.equal(await table.terminate(terminated), false, 'once');
  const expired = await insert();
  await overdue(expired);
  for (const id of [complete, terminated, expired]) t.equal(await table.take(id, randomUUID()), undefined);
  const late = await insert();
  const lease = randomUUID();
  await table.take(late, lease);
  await table.terminate(late);
  t.equal(await table.renew(late, lease), 'lost');
  t.match(await table.save(late, lease, STATE, 10), { saved: false });
});

t.test('only what is a part expires when it is complete', async (t) => {
  const part = await insert({ concat: 'partial' });
  t.match(await table.complete(part, 10), { saved: true, expiresAt: Date });
  t.match(await table.complete(part, 10), { saved: false }, 'once');
  const upload = await insert();
  t.match(await table.complete(upload, 10), { saved: true, expiresAt: undefined });
  t.match(await table.find(upload), {
    state: 'complete',
    append: { received: 10, parts: [], multipart: undefined, tailKey: undefined },
  });
  await pool.query(`UPDATE tus_uploads SET expires_at = now() + interval '1 s' WHERE id = $1`, [part]);
  await table.keep([part, upload]);
  const keptUntil = (await table.find(part))?.expiresAt?.getTime() ?? 0;
  t.ok(keptUntil > Date.now() + EXPIRY_MS / 2, 'kept while in use');
  t.equal((await table.find(upload))?.expiresAt, undefined);
});

t.test('a sweep finds what is due, and nothing that somebody writes to', async (t) => {
  const due = await insert();
  const written = await insert({ lease: randomUUID() });
  const early = await insert();
  for (const id of [due, written]) await overdue(id);
  const found = ids(await table.due(100));
  t.ok(found.includes(due));
  t.notOk(found.includes(written));
  t.notOk(found.includes(early));
  t.equal(await table.expire(written), false);
  t.equal(await table.expire(early), false);
  t.equal(await table.expire(due), true);
  t.notOk(ids(await table.due(100)).includes(due), 'left for a while to who gave it up');
  await table.terminated(due);
  await table.forget(due);
  t.match(await table.find(due), { state: 'terminated' }, 'remembered for a while');
  await overdue(due);
  await table.forget(due);
  t.equal(await table.find(due), undefined);
});

t.test('a sweep finds what went on, or ended, elsewhere', async (t) => {
  const make = async () => {
    const id = randomUUID();
    await uploads.create({ id, owner: 'shop', via: 'tus', filename: 'a.csv', objectKey: `uploads/${id}` });
    await table.insert({
      id,
      owner: 'shop',
      uploadId: id,
      metadata: '',
      length: 10,
      objectKey: `uploads/${id}`,
    });
    return id;
  };
  const receiving = await make();
  const cancelled = await make();
  await uploads.cancel(cancelled);
  const found = await table.outrun(100);
  t.ok(ids(found).includes(cancelled));
  t.notOk(ids(found).includes(receiving));
  await pool.query('DELETE FROM uploads WHERE id = $1', [cancelled]);
  t.match(await table.find(cancelled), { isOrphan: true, uploadId: undefined });
  t.ok(ids(await table.outrun(100)).includes(cancelled), 'removed');
  await table.terminate(cancelled);
  t.notOk(ids(await table.outrun(100)).includes(cancelled));
});
