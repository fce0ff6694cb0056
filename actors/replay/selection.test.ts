import t from 'tap';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { type ReplaySelection, readPage, summarize } from './selection.js';
import { writeEvents } from './test/system.js';

t.setTimeout(60_000);
const { pool } = await startTestPostgres(t);
const AT = 1_700_000_000_000;
await writeEvents(pool, { count: 300, keys: 7, from: AT });
await writeEvents(pool, {
  count: 40,
  keys: 2,
  from: AT + 1_000,
  endpoint: 'other',
  kind: 'sent',
  status: 'delayed',
});
await writeEvents(pool, {
  count: 20,
  keys: 2,
  from: AT + 2_000,
  endpoint: 'emp',
  status: 'applied',
  meta: false,
});

/** All of a selection, and how many pages that took. */
async function all(selection: ReplaySelection, limit: number) {
  const seen: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const { events, next } = await readPage(pool, selection, cursor, limit);
    seen.push(...events.map(({ endpoint, dedupe }) => `${endpoint} ${Number(dedupe.slice(4))}`));
    cursor = next;
    pages++;
  } while (cursor !== undefined && pages < 1_000);
  return { seen, pages };
}
const numbers = (endpoint: string, count: number, keep: (n: number) => boolean = () => true) =>
  Array.from({ length: count }, (_, n) => n)
    .filter(keep)
    .map((n) => `${endpoint} ${n}`);

t.test('page after page, in order, each once', async (t) => {
  const everything = [...numbers('shop', 300), ...numbers('other', 40), ...numbers('emp', 20)];
  for (const limit of [1, 7, 100, 360, 10_000]) {
    t.strictSame((await all({ filter: {} }, limit)).seen, everything, `${limit}`);
  }
  const cases: [ReplaySelection, string[]][] = [
    [{ filter: { endpoint: 'other' } }, numbers('other', 40)],
    [{ filter: { kind: 'sent', status: 'delayed' } }, numbers('other', 40)],
    [
      { filter: { from: AT + 290, to: AT + 1_002 } },
      [...numbers('shop', 300).slice(290), ...numbers('other', 2)],
    ],
    [{ filter: { key: 'k3' } }, numbers('shop', 300, (n) => n % 7 === 3)],
    [{ filter: { key: 'k1', endpoint: 'emp' } }, numbers('emp', 20, (n) => n % 2 === 1)],
    [{ filter: { key: 'k1', from: AT + 1_000, to: AT + 1_004 } }, ['other 1', 'other 3']],
    [{ filter: { key: 'nobody' } }, []],
  ];
  for (const [selection, found] of cases) {
    for (const limit of [3, 500])
      t.strictSame((await all(selection, limit)).seen, found, JSON.stringify(selection));
  }
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM events WHERE endpoint = 'shop' ORDER BY random() LIMIT 50`,
  );
  const chosen = (await all({ ids: rows.map(({ id }) => id) }, 20)).seen;
  t.equal(chosen.length, 50);
  t.strictSame(
    chosen,
    [...chosen].sort((a, b) => Number(a.slice(5)) - Number(b.slice(5))),
  );
});

t.test('few among many: a page reads a bounded part and goes on', async (t) => {
  await writeEvents(pool, { count: 25_000, keys: 50, from: AT + 10_000, endpoint: 'many' });
  await writeEvents(pool, { count: 3, keys: 1, from: AT + 100_000, endpoint: 'late' });
  t.teardown(() => pool.query(`DELETE FROM events WHERE endpoint IN ('many', 'late')`));
  const { seen, pages } = await all({ filter: { endpoint: 'late' } }, 500);
  t.strictSame(seen, numbers('late', 3));
  t.equal(pages, 3);
});

t.test('bodies that are long make short pages, of one at least', async (t) => {
  await writeEvents(pool, { count: 6, keys: 1, from: AT + 200_000, endpoint: 'long' });
  await pool.query(
    `UPDATE events SET payload = convert_to(repeat('x', 5000000), 'UTF8') WHERE endpoint = 'long' AND dedupe < 'evt_000004'`,
  );
  t.teardown(() => pool.query(`DELETE FROM events WHERE endpoint = 'long'`));
  const selection = { filter: { from: AT + 200_000 } };
  const first = await readPage(pool, selection, undefined, 500);
  t.equal(first.events.length, 2, 'the second begins below 8 MiB');
  t.strictSame((await all(selection, 500)).seen, numbers('long', 6));
  await pool.query(
    `UPDATE events SET payload = NULL, payload_length = octet_length(payload) WHERE endpoint = 'long'`,
  );
  const archived = await readPage(pool, selection, undefined, 500);
  t.equal(archived.events.length, 2, 'wherever they are');
});

t.test('a summary by endpoint', async (t) => {
  t.strictSame(await summarize(pool, { filter: {} }), {
    total: 360,
    endpoints: [
      { endpoint: 'shop', events: 300, delayed: 0, ofEmp: 0, oldest: AT, latest: AT + 299 },
      { endpoint: 'other', events: 40, delayed: 40, ofEmp: 0, oldest: AT + 1_000, latest: AT + 1_039 },
      { endpoint: 'emp', events: 20, delayed: 0, ofEmp: 20, oldest: AT + 2_000, latest: AT + 2_019 },
    ],
  });
  t.strictSame(await summarize(pool, { filter: { key: 'nobody' } }), { total: 0, endpoints: [] });
});
