import t from 'tap';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { makeUpload } from './test/make-upload.js';
import { startTestUploads, type TestUploads } from './test/start.js';

const postgres = await startTestPostgres(t);
const server = await startTestUploads(t, { postgres });

/** The ids of a page, and its cursor. */
async function page(query: string, token = 'acme', from: TestUploads = server) {
  const { status, body, headers } = await from.askAs({ path: `/uploads?${query}` }, token);
  const json = JSON.parse(body);
  return {
    status,
    headers,
    type: json.type,
    ids: json.uploads?.map(({ id }: { id: string }) => id),
    next: json.next,
  };
}

const made: string[] = [];
for (let i = 0; i < 7; i++) {
  const state = i === 3 ? 'completed' : i === 4 ? 'receiving' : 'stored';
  made.unshift(
    (await makeUpload(server, { filename: `${i}.csv`, state, content: Buffer.from(`a${i}\n`) })).id,
  );
}
const foreign = (await makeUpload(server, { owner: 'bolt' })).id;

t.test('the latest first, page by page, whatever comes meanwhile', async (t) => {
  const first = await page('limit=3');
  t.match(first, { status: 200, headers: { 'cache-control': 'no-store' } });
  t.strictSame(first.ids, made.slice(0, 3));
  const late = (await makeUpload(server)).id;
  const second = await page(`limit=3&cursor=${first.next}`);
  t.strictSame(second.ids, made.slice(3, 6));
  const third = await page(`limit=3&cursor=${second.next}`);
  t.strictSame([third.ids, third.next], [made.slice(6), null]);
  t.strictSame((await page('limit=1')).ids, [late]);
  t.equal((await page(`limit=4&cursor=${second.next}`)).next, null, 'no cursor to an empty page');
  made.unshift(late);
  t.match(await server.askAs({ path: '/uploads', method: 'HEAD' }), { status: 200, body: '' });
});

t.test('filters', async (t) => {
  const sha256 = (await server.uploads.get(made[2] ?? ''))?.sha256;
  t.strictSame((await page('state=completed')).ids, [made[4]]);
  t.strictSame((await page('state=completed,receiving')).ids, [made[3], made[4]]);
  t.strictSame((await page('filename=5.csv')).ids, [made[2]]);
  t.strictSame((await page(`sha256=${sha256?.toUpperCase()}`)).ids, [made[2]]);
  t.strictSame((await page('to=2020-01-01')).ids, []);
  t.strictSame((await page('from=2020-01-01&to=2100-01-01T00:00:00Z')).ids, made);
  t.strictSame((await page('from=2100-01-01T00:00:00%2B02:00')).ids, []);
});

t.test('a client sees its own uploads only', async (t) => {
  t.strictSame((await page('', 'bolt')).ids, [foreign]);
  t.strictSame((await page('client=bolt', 'bolt')).ids, [foreign]);
  t.match(await page('client=bolt'), { status: 403, type: 'urn:tether:problem:scope-missing' });
  t.strictSame((await page('', 'boss')).ids, [made[0], foreign, ...made.slice(1)]);
  t.strictSame((await page('client=bolt', 'boss')).ids, [foreign]);
});

t.test('a query that makes no sense', async (t) => {
  for (const query of [
    'limit=0',
    'limit=201',
    'limit=x',
    'state=',
    'state=stored,',
    'state=gone',
    'state=stored&state=failed',
    'State=stored',
    'filename=',
    'filename=a%00',
    `filename=${'a'.repeat(301)}`,
    'client=a%0Ab',
    'sha256=ab',
    'from=yesterday',
    'from=2026-02-31',
    'from=2026-13-01',
    'from=2026-01-01T00:00:00',
    'to=2026-01-01T25:00:00Z',
    'cursor=',
    'cursor=x',
    'cursor=AAAAAAAAAAAAAAAAAAAAAB',
    'cursor=01890a5d-ac96-774b-bcce-b302099a8057',
    "cursor='%20OR%201=1",
  ]) {
    t.match(await page(query), { status: 400, type: 'urn:tether:problem:invalid-query' }, query);
  }
});
