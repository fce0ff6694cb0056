import t from 'tap';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { makeUpload, setState } from './test/make-upload.js';
import { startTestUploads } from './test/start.js';

const postgres = await startTestPostgres(t);

t.test('an upload is read by its client', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const { askAs } = server;
  const upload = await makeUpload(server, { filename: 'März.csv' });
  const path = `/uploads/${upload.id}`;
  const answer = await askAs({ path }, 'acme-reader');
  t.match(answer, { status: 200, headers: { 'cache-control': 'no-store', etag: `W/"${upload.version}"` } });
  t.match(JSON.parse(answer.body), {
    id: upload.id,
    state: 'stored',
    filename: 'März.csv',
    client: 'acme',
    sha256: upload.sha256,
    counts: { total: 0 },
  });
  t.match(await askAs({ path, method: 'HEAD' }), { status: 200, body: '' });
});

t.test('an upload of another client is not there, as one that does not exist', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const { askAs, ask } = server;
  const upload = await makeUpload(server);
  const paths = [
    `/uploads/${upload.id}`,
    '/uploads/01890a5d-ac96-774b-bcce-b302099a8057',
    '/uploads/direct',
    `/uploads/${upload.id}%00`,
    `/uploads/${upload.id.replaceAll('-', '')}`,
    '/uploads/..%2f..%2fetc',
  ];
  const answers = await Promise.all(paths.map((path) => askAs({ path }, 'bolt')));
  for (const answer of answers) t.match(answer, { status: 404, body: answers[0]?.body ?? '' });
  t.match(await askAs({ path: paths[0] ?? '' }, 'boss'), { status: 200 }, 'with uploads:all');
  t.match(await ask({ path: paths[0] ?? '' }), { status: 401 }, 'without a token');
});

t.test('one who has the version is told 304 until it changes', async (t) => {
  const server = await startTestUploads(t, { postgres });
  const { askAs, pool } = server;
  const upload = await makeUpload(server);
  const path = `/uploads/${upload.id}`;
  const ask = (tag: string) => askAs({ path, headers: [`If-None-Match: ${tag}`] });
  for (const tag of ['W/"2"', '"2"', '*', '"1", W/"2"']) {
    const answer = await ask(tag);
    t.match(answer, { status: 304, body: '', headers: { etag: 'W/"2"' } }, tag);
  }
  for (const tag of ['"1"', '2', 'W/"22"']) t.match(await ask(tag), { status: 200 }, tag);
  await setState(pool, upload.id, 'processing');
  t.match(await ask('W/"2"'), { status: 200, headers: { etag: 'W/"3"' } });
});
