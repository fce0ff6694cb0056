import t, { type Test } from 'tap';
import { objectKeyOf, TEXT_MEDIA_TYPE, type UploadVia } from '../../actors/upload/model.js';
import { silentLogger } from '../../runtime/logger.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import { until } from '../../runtime/testing/until.js';
import { ObjectStoreUnavailableError } from '../../storage/objects/errors.js';
import { PostgresUnavailableError } from '../../storage/postgres/errors.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import type { UploadParts } from './parts.js';
import { UploadSweeper } from './sweeper.js';
import { startTestUploads, type TestUploads } from './test/start.js';

const postgres = await startTestPostgres(t);
const ids = new MessageIdSource();
const PART = Buffer.alloc(5 * 1024 * 1024, 'x');

async function begin(
  uploads: TestUploads,
  via: UploadVia,
): Promise<{ id: string; key: string; multipart: string }> {
  const id = ids.next(Date.now());
  const key = objectKeyOf(id);
  await uploads.uploads.create({ id, owner: 'acme', via, filename: 'a.csv', objectKey: key });
  const multipart = await uploads.objects.beginMultipart(key);
  await uploads.objects.putPart(key, multipart, 1, PART);
  await uploads.uploads.received(id, PART.length, multipart);
  return { id, key, multipart };
}

const age = (id: string, seconds: number) =>
  postgres.pool.query(`UPDATE uploads SET updated_at = now() - $2 * interval '1 second' WHERE id = $1`, [
    id,
    seconds,
  ]);

async function open(t: Test, more: Partial<UploadParts> = {}) {
  await postgres.pool.query('TRUNCATE uploads, upload_keys, tus_uploads, dead_letters');
  const uploads = await startTestUploads(t, { postgres, parts: more });
  const { pool, objects, intake, enqueued } = uploads;
  const parts: UploadParts = {
    authenticator: { authenticate: async () => undefined },
    uploads: uploads.uploads,
    pool,
    objects,
    intake,
    limits: { textBytesMax: 1, xlsxBytesMax: 1 },
    expiryMs: 3_600_000,
    enqueue: async (uploadId, type) => {
      enqueued.push({ uploadId, type });
    },
    nextId: () => ids.next(Date.now()),
    logger: silentLogger,
    now: Date.now,
    ...more,
  };
  return { uploads, parts };
}

t.test('what a receiver left behind is failed, and its parts are gone', async (t) => {
  const { uploads, parts } = await open(t);
  const lost = await begin(uploads, 'raw');
  const alive = await begin(uploads, 'form');
  const direct = await begin(uploads, 'direct');
  for (const { id } of [lost, direct]) await age(id, 200);
  await new UploadSweeper({ parts }).sweep();
  t.match(await uploads.uploads.get(lost.id), { state: 'failed', failure: { code: 'abandoned' } });
  for (const { id } of [alive, direct]) t.equal((await uploads.uploads.get(id))?.state, 'receiving');
  t.strictSame((await uploads.stored()).multiparts.length, 2, 'of the two others');
  await age(direct.id, 3700);
  await new UploadSweeper({ parts }).sweep();
  t.match(await uploads.uploads.get(direct.id), { state: 'failed', failure: { code: 'expired' } });
  t.strictSame((await uploads.stored()).multiparts.length, 1);
});

t.test('after an outage of Postgres a receiver has time to say that it is alive', async (t) => {
  const { uploads, parts } = await open(t);
  const alive = await begin(uploads, 'raw');
  const lost = await begin(uploads, 'raw');
  for (const { id } of [alive, lost]) await age(id, 200);
  let isAway = true;
  const { pool } = parts;
  const sweeper = new UploadSweeper({
    parts: {
      ...parts,
      pool: {
        ...pool,
        query: (sql, values) =>
          isAway ? Promise.reject(new PostgresUnavailableError('away')) : pool.query(sql, values),
      },
    },
  });
  await sweeper.sweep();
  isAway = false;
  await sweeper.sweep();
  t.equal((await uploads.uploads.get(alive.id))?.state, 'receiving');
  t.ok(await uploads.uploads.received(alive.id, PART.length));
  await sweeper.sweep();
  t.equal((await uploads.uploads.get(alive.id))?.state, 'receiving');
  t.match(await uploads.uploads.get(lost.id), { state: 'failed', failure: { code: 'abandoned' } });
});

t.test('what the store does not let go now is tried again, and keeps no other', async (t) => {
  const { uploads, parts } = await open(t);
  const held = await begin(uploads, 'raw');
  const other = await begin(uploads, 'raw');
  for (const { id } of [held, other]) await age(id, 200);
  let isAway = true;
  const { objects } = parts;
  const sweeper = new UploadSweeper({
    parts: {
      ...parts,
      objects: {
        ...objects,
        listMultiparts: async () => [],
        delete: (key) => objects.delete(key),
        abortMultipart: (key, multipart) =>
          isAway && key === held.key
            ? Promise.reject(new ObjectStoreUnavailableError('away'))
            : objects.abortMultipart(key, multipart),
      },
    },
  });
  await sweeper.sweep();
  for (const { id } of [held, other]) t.equal((await uploads.uploads.get(id))?.state, 'failed');
  await sweeper.sweep();
  t.strictSame((await uploads.stored()).multiparts, [held.key]);
  isAway = false;
  await sweeper.sweep();
  t.strictSame((await uploads.stored()).multiparts, []);
});

t.test('what never got on the log is put there', async (t) => {
  const { uploads, parts } = await open(t);
  const { id } = await begin(uploads, 'raw');
  await uploads.uploads.stored(id, { bytes: 1, sha256: 'ab'.repeat(32), mediaType: TEXT_MEDIA_TYPE });
  await new UploadSweeper({ parts }).sweep();
  t.strictSame(uploads.enqueued, [], 'its own request is about to');
  await age(id, 40);
  await new UploadSweeper({ parts }).sweep();
  t.strictSame(uploads.enqueued, [{ uploadId: id, type: 'process' }]);
});

t.test('a multipart that no upload knows is aborted when it is old enough', async (t) => {
  const { uploads, parts } = await open(t);
  const known = await begin(uploads, 'raw');
  await uploads.objects.beginMultipart('uploads/unknown');
  await uploads.objects.beginMultipart('partials/unknown');
  await uploads.objects.beginMultipart('of/somebody/else');
  await new UploadSweeper({ parts }).sweep();
  t.equal((await uploads.stored()).multiparts.length, 4, 'all young');
  await new UploadSweeper({
    parts: { ...parts, now: () => Date.now() + 60_000 },
    multipartMsMin: 30_000,
  }).sweep();
  t.strictSame([...(await uploads.stored()).multiparts].sort(), ['of/somebody/else', known.key]);
});

t.test('a step that fails does not keep the others from running, and the round comes again', async (t) => {
  const { uploads, parts } = await open(t);
  const { id } = await begin(uploads, 'raw');
  await uploads.uploads.stored(id, { bytes: 1, sha256: 'ab'.repeat(32), mediaType: TEXT_MEDIA_TYPE });
  await age(id, 40);
  const warnings: string[] = [];
  const sweeper = new UploadSweeper({
    parts: {
      ...parts,
      objects: { ...parts.objects, listMultiparts: () => Promise.reject(new Error('away')) },
      enqueue: () => Promise.reject(new Error('full')),
      logger: { ...silentLogger, warn: (_, text) => warnings.push(text) },
    },
    intervalMs: 20,
  });
  sweeper.start();
  t.throws(() => sweeper.start(), TypeError, 'once');
  await until(
    'two rounds',
    () => warnings.filter((text) => text.endsWith('forgotten multiparts')).length >= 2,
  );
  await sweeper.stop();
  t.ok(warnings.some((text) => text.endsWith('put on the log again')));
  const { length } = warnings;
  await sweeper.sweep();
  t.equal(warnings.length, length, 'stopped');
});

t.test('a step that takes for ever does not keep the node from going down', async (t) => {
  const { parts } = await open(t);
  let hangs = false;
  const sweeper = new UploadSweeper({
    parts: {
      ...parts,
      objects: {
        ...parts.objects,
        listMultiparts: () => {
          hangs = true;
          return new Promise(() => {});
        },
      },
    },
    intervalMs: 10,
  });
  sweeper.start();
  await until('it hangs', () => hangs);
  let isStopped = false;
  void sweeper.stop().then(() => {
    isStopped = true;
  });
  await until('it is stopped', () => isStopped);
});
