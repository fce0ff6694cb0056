import t from 'tap';
import { LogFullError } from '../../runtime/errors.js';
import { ObjectStoreUnavailableError } from '../../storage/objects/errors.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { makeUpload, setState } from './test/make-upload.js';
import { startTestUploads } from './test/start.js';

const postgres = await startTestPostgres(t);
const server = await startTestUploads(t, { postgres });
const { pool, uploads, objects, enqueued, askAs } = server;

const remove = (id: string, token = 'acme', from = server) =>
  from.askAs({ method: 'DELETE', path: `/uploads/${id}` }, token);
const hasObject = async (key: string) => (await objects.stat(key)) !== undefined;

t.test('what is not over is cancelled, again and again', async (t) => {
  for (const state of ['receiving', 'stored', 'processing'] as const) {
    const { id } = await makeUpload(server, { state });
    enqueued.length = 0;
    const answer = await remove(id);
    t.match(answer, { status: 202, headers: { 'cache-control': 'no-store' } }, state);
    t.match(JSON.parse(answer.body), { id, state: 'cancelling' });
    t.match(await remove(id), { status: 202 });
    t.strictSame(enqueued, [
      { uploadId: id, type: 'cancel' },
      { uploadId: id, type: 'cancel' },
    ]);
    t.match(await uploads.get(id), { state: 'cancelling' });
  }
});

t.test('what is over is removed: file, errors and row; debtors stay', async (t) => {
  for (const state of ['completed', 'failed', 'cancelled'] as const) {
    const { id, objectKey } = await makeUpload(server, { state });
    await pool.query(`INSERT INTO upload_rejects VALUES ($1, 2, 'invalid', '[]')`, [id]);
    await pool.query('INSERT INTO debtors (iban, upload_id) VALUES ($1, $2)', ['DE02120300000000202051', id]);
    enqueued.length = 0;
    t.match(await remove(id), { status: 204, body: '' }, state);
    t.equal(await uploads.get(id), undefined);
    t.notOk(await hasObject(objectKey));
    t.strictSame(enqueued, []);
    const count = async (table: string) =>
      (await pool.query(`SELECT FROM ${table} WHERE upload_id = $1`, [id])).rowCount;
    t.strictSame([await count('upload_rejects'), await count('debtors')], [0, 1]);
    t.match(await remove(id), { status: 404 }, 'again');
  }
});

t.test('what is only kept is removed at once', async (t) => {
  const { id, objectKey } = await makeUpload(server);
  await pool.query('UPDATE uploads SET process = false WHERE id = $1', [id]);
  t.match(await remove(id), { status: 204 });
  t.notOk(await hasObject(objectKey));
});

t.test('what a resumable or direct upload left in the store goes too', async (t) => {
  const { id, objectKey } = await makeUpload(server, { state: 'receiving' });
  const other = await makeUpload(server);
  const [named, unnamed, foreign] = [
    await objects.beginMultipart(objectKey),
    await objects.beginMultipart(objectKey),
    await objects.beginMultipart(other.objectKey),
  ];
  await objects.put(`${objectKey}.tail`, Buffer.from('x'));
  await uploads.received(id, 1, named);
  await setState(pool, id, 'cancelled');
  t.match(await remove(id), { status: 204 });
  const { objects: keys, multiparts } = await server.stored();
  t.notOk(
    [...keys, ...multiparts].some((key) => key.startsWith(objectKey)),
    `${unnamed} too`,
  );
  t.ok(multiparts.includes(other.objectKey), 'nothing of another upload');
  await objects.abortMultipart(other.objectKey, foreign);
});

t.test('a direct upload that is cancelled takes no more parts', async (t) => {
  const { id, objectKey } = await makeUpload(server, { state: 'receiving' });
  const multipart = await objects.beginMultipart(objectKey);
  await uploads.received(id, 1, multipart);
  await pool.query(`UPDATE uploads SET via = 'direct' WHERE id = $1`, [id]);
  t.match(await remove(id), { status: 202 });
  await t.rejects(objects.putPart(objectKey, multipart, 1, Buffer.from('x')), {
    code: 'TETHER_OBJECT_NOT_FOUND',
  });
});

t.test('an outage or a crash in between: the next one does the rest', async (t) => {
  const away = await startTestUploads(t, { postgres });
  let failing = true;
  const fail = async () => {
    throw new LogFullError('full');
  };
  const broken = await startTestUploads(t, {
    postgres,
    parts: {
      // The real store, which loses its connection before it deletes.
      objects: new Proxy(away.objects, {
        get(store, name) {
          const value: unknown = Reflect.get(store, name, store);
          if (typeof value !== 'function') return value;
          if (name !== 'delete') return value.bind(store);
          return async (key: string) => {
            if (failing) throw new ObjectStoreUnavailableError('away');
            await store.delete(key);
          };
        },
      }),
      enqueue: async (uploadId, type) => (failing ? fail() : away.parts.enqueue(uploadId, type)),
    },
  });
  const over = await makeUpload(away, { state: 'completed' });
  t.match(await remove(over.id, 'acme', broken), { status: 503 });
  t.ok(await uploads.get(over.id), 'the row is there to find it by');
  const running = await makeUpload(away, { state: 'processing' });
  t.match(await remove(running.id, 'acme', broken), { status: 503 });
  t.match(await uploads.get(running.id), { state: 'cancelling' });
  failing = false;
  t.match(await remove(over.id, 'acme', broken), { status: 204 });
  t.match(await remove(running.id, 'acme', broken), { status: 202 });
  t.strictSame(away.enqueued, [{ uploadId: running.id, type: 'cancel' }]);

  // As if the process had ended between the two.
  const half = await makeUpload(server, { state: 'failed' });
  await objects.delete(half.objectKey);
  t.match(await remove(half.id), { status: 204 });
});

t.test('many at once: one removes, all are told so or that it is gone', async (t) => {
  const { id } = await makeUpload(server, { state: 'completed' });
  const statuses = (await Promise.all(Array.from({ length: 8 }, () => remove(id)))).map(
    ({ status }) => status,
  );
  t.equal(statuses.filter((status) => status === 204).length, 1);
  t.ok(statuses.every((status) => status === 204 || status === 404));
});

t.test('only who may', async (t) => {
  const { id } = await makeUpload(server, { state: 'completed' });
  t.match(await remove(id, 'acme-reader'), { status: 403 });
  t.match(await remove(id, 'bolt'), { status: 404 });
  t.match(await remove(id, 'nobody'), { status: 401 });
  t.ok(await uploads.get(id));
  t.match(await remove(id, 'boss'), { status: 204 });
});

t.test('other methods', async (t) => {
  const { id } = await makeUpload(server);
  const path = `/uploads/${id}`;
  for (const [wrong, allow] of [
    [path, 'GET, HEAD, DELETE'],
    [`${path}/file`, 'GET, HEAD'],
    ['/uploads', 'GET, HEAD, POST'],
  ] as const) {
    t.match(
      await askAs({ method: 'PUT', path: wrong, body: '' }),
      { status: 405, headers: { allow } },
      wrong,
    );
  }
});
