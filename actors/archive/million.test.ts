/**
 * Many events of one gateway cost few PUTs, and each body comes back byte for byte.
 *
 * ARCHIVE_EVENTS=1000000 is the number that the name speaks of; the default is smaller, for machines that are busy.
 */
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { PaymentEvents } from '../payment/events.js';
import { openBlock } from './format.js';
import { openBench, RULES } from './test/bench.js';

const EVENTS = Number(process.env.ARCHIVE_EVENTS ?? 60_000);
/** A million events: fewer than so many. */
const PUTS_OF_MILLION = 200;
const AT_ONCE = 50_000;

t.setTimeout(60_000 + EVENTS);

/** As a gateway's: half of it is the same in all, half in no other; made by the database, which is quicker. */
const INSERT = `
INSERT INTO events (id, endpoint, kind, key, dedupe, status, received_at, processed_at, payload)
SELECT (substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-7' || substr(hash, 1, 3) || '-8' || substr(hash, 4, 3) || '-' || substr(hash, 7, 12))::uuid,
  'emp', 'processing', hash, 'processing:' || hash || '::' || n, 'applied', now() - interval '1 hour', now() - interval '1 hour' + n * interval '1 microsecond',
  convert_to('transaction_id=order-' || n || '&unique_id=' || hash || '&transaction_type=sdd_sale&status=approved&amount=' || n % 9999 ||
    '&currency=EUR&mode=live&terminal_token=0be58c50d9a4a5c1f7a0c1e5dd4c1e8b0a9f0f11&timestamp=2026-11-26T08%3A00%3A00Z' ||
    '&bank_account_number=DE89370400440532013000&customer_email=someone' || n || '%40example.org&signature=' || md5(hash) || substr(md5(n || 's'), 1, 8), 'UTF8')
FROM (SELECT n, md5(n::text) AS hash, lpad(to_hex(1790000000000 + n), 12, '0') AS hex FROM generate_series($1::int, $2::int) n) m`;

t.test(`${EVENTS} events`, async (t) => {
  const bench = await openBench(t);
  const { pool, objects } = bench;
  for (let from = 1; from <= EVENTS; from += AT_ONCE) {
    await pool.query(INSERT, [from, Math.min(from + AT_ONCE - 1, EVENTS)]);
  }
  await pool.query(
    'CREATE TABLE expected AS SELECT id, md5(payload) AS md5, octet_length(payload) AS bytes FROM events',
  );
  await pool.query('CREATE INDEX ON expected (id); ANALYZE events; ANALYZE expected');
  const [raw] = await bench.rows<{ bytes: number }>('SELECT sum(bytes)::float8 AS bytes FROM expected');

  const began = performance.now();
  await bench.run();
  const ms = performance.now() - began;
  const [archived] = await bench.rows<{ bytes: number; left: number; n: number }>(`
    SELECT sum(bytes)::float8 AS bytes, sum(events)::int AS n, (SELECT count(*)::int FROM events WHERE payload IS NOT NULL) AS left FROM archive_segments`);
  t.comment(
    `${objects.puts} PUTs, ${Math.round(ms)} ms, ${raw?.bytes} bytes in ${archived?.bytes}: a ${((raw?.bytes ?? 0) / (archived?.bytes ?? 1)).toFixed(1)}th`,
  );
  t.match(archived, { left: 0, n: EVENTS });
  t.ok((objects.puts * 1_000_000) / EVENTS < PUTS_OF_MILLION, `${objects.puts} PUTs`);
  t.equal(RULES.limits.eventsMax, 50_000, 'with what a node does');

  let same = 0;
  for (const key of await bench.stored()) {
    const records = recordsOf(await buffer(await objects.read(key)));
    const [row] = await bench.rows<{ n: number }>(
      'SELECT count(*)::int AS n FROM unnest($1::uuid[], $2::text[]) AS r (id, md5) JOIN expected e ON e.id = r.id AND e.md5 = r.md5',
      [records.map(({ id }) => id), records.map(({ payload }) => md5Of(payload))],
    );
    same += row?.n ?? 0;
  }
  t.equal(same, EVENTS, 'each body is in the objects, as it was');

  // By the one way to a payload, some from everywhere.
  const events = new PaymentEvents(pool);
  const share = Math.max(1, Math.floor(EVENTS / 1_000));
  const expected = await bench.rows<{ id: string; md5: string }>(
    'SELECT id, md5 FROM (SELECT id, md5, row_number() OVER (ORDER BY id) AS n FROM expected) e WHERE n % $1 = 0 ORDER BY md5',
    [share],
  );
  t.ok(expected.length >= 1_000);
  for (const { id, md5 } of expected) {
    const event = await events.get(id);
    const payload = event && (await bench.payloads.payloadOf(event));
    if (payload === undefined || md5Of(payload) !== md5) t.fail(`payload of ${id}`);
  }
});

function md5Of(payload: Uint8Array): string {
  return createHash('md5').update(payload).digest('hex');
}

/** What the documentation says of a segment, read from its first block to its last. */
function recordsOf(object: Buffer): readonly { readonly id: string; readonly payload: Buffer }[] {
  const records: { id: string; payload: Buffer }[] = [];
  for (let block = 16; block < object.length - 48; block += object.readUInt32LE(block + 4)) {
    const raw = openBlock(object.subarray(block, block + object.readUInt32LE(block + 4)));
    for (let at = 0; at < raw.length; ) {
      const length = raw.readUInt32LE(at + 16);
      records.push({
        id: raw.toString('hex', at, at + 16),
        payload: raw.subarray(at + 20, at + 20 + length),
      });
      at += 20 + length;
    }
  }
  return records;
}
