/** Replays of events whose bodies are in the archive: byte for byte, and without those that are gone. */
import { createHash } from 'node:crypto';
import { rename } from 'node:fs/promises';
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { openBench } from '../archive/test/bench.js';
import { AT, openDay } from './test/day.js';
import { writeEvents } from './test/system.js';

t.setTimeout(60_000);
const COUNT = 900;
/** Events of a segment. */
const SEGMENT = 300;
const { pool, url, start, seen } = await openDay(t, COUNT);
const bench = await openBench(t, { pool, url });

/** No two are alike, some are empty, and hardly one is UTF-8. */
function bodyOf(n: number): Buffer {
  const block = createHash('sha256').update(`body ${n}`).digest();
  return Buffer.concat(Array(n % 90).fill(block)).subarray(n % 7);
}

await pool.query(
  `UPDATE events SET payload = b.body, processed_at = to_timestamp($1::float8 / 1000) + b.n * interval '1 ms'
   FROM unnest($2::bytea[]) WITH ORDINALITY AS b (body, n) WHERE right(dedupe, 6)::int = b.n - 1`,
  [AT, Array.from({ length: COUNT }, (_, n) => bodyOf(n))],
);
await bench.run({ limits: { eventsMax: SEGMENT, payloadBytesMax: 32 * 1024 * 1024, blockBytes: 8_192 } });
const keys = await bench.stored();

/** The numbers of those that came, and of those that came with another body. */
async function arrived() {
  const rows = await bench.rows<{ id: string; body: Buffer }>('SELECT id, body FROM seen');
  const all = rows.map(({ id, body }) => ({ n: Number(id.slice(4)), body }));
  return {
    count: all.length,
    first: Math.min(...all.map(({ n }) => n)),
    wrong: all.filter(({ n, body }) => !body.equals(bodyOf(n))).map(({ n }) => n),
  };
}

t.test('all of them, as they came', async (t) => {
  t.equal((await bench.rows('SELECT 1 FROM events WHERE payload IS NOT NULL')).length, 0);
  t.equal(keys.length, COUNT / SEGMENT);
  const { replay, get, ended } = await start(t, { objects: bench.directory });
  const { id } = await replay();
  await ended(id);
  t.match(await get(id), { state: 'done', told: COUNT, leftOut: {} });
  t.strictSame(await arrived(), { count: COUNT, first: 0, wrong: [] });
  t.match(await seen(), { effects: COUNT, wrong: 0 });
});

t.test('the store is away: it waits, and goes on; who needs no body does not', async (t) => {
  await writeEvents(pool, {
    count: 10,
    keys: 1,
    from: AT - 1_000,
    endpoint: 'emp',
    status: 'applied',
    meta: false,
  });
  await bench.run();
  await rename(bench.directory, `${bench.directory}-away`);
  const { replay, get, ended } = await start(t, { objects: bench.directory });
  const waiting = await replay();
  const ofEmp = await replay({ selection: { filter: { endpoint: 'emp' } } });
  await ended(ofEmp.id);
  t.match(await get(ofEmp.id), { state: 'done', told: 0, leftOut: { payment: 10 } });
  await until('it runs', async () => (await get(waiting.id)).state === 'running');
  t.match(await get(waiting.id), { told: 0, cursor: undefined, leftOut: {} });
  await rename(`${bench.directory}-away`, bench.directory);
  await ended(waiting.id);
  t.match(await get(waiting.id), { state: 'done', told: COUNT, leftOut: {} });
  t.strictSame(await arrived(), { count: COUNT, first: 0, wrong: [] });
});

t.test('what is over, and what is damaged, is counted and holds up nothing', async (t) => {
  const segments = await bench.rows<{ key: string }>(
    `SELECT object_key AS key FROM archive_segments ORDER BY newest`,
  );
  await bench.objects.delete(segments[1]?.key ?? '');
  await pool.query(`UPDATE archive_segments SET state = 'expired' WHERE object_key = $1`, [segments[0]?.key]);
  const { replay, get, ended } = await start(t, { objects: bench.directory });
  const { id } = await replay();
  await ended(id);
  t.match(await get(id), { state: 'done', told: SEGMENT, leftOut: { body: SEGMENT, damaged: SEGMENT } });
  t.strictSame(await arrived(), { count: SEGMENT, first: 2 * SEGMENT, wrong: [] });
});
