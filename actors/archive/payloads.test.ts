/** The one way to a payload: bounded, and with a clear word when there is none. */
import { rename } from 'node:fs/promises';
import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { openObjectStore } from '../../storage/objects/open.js';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { type PaymentEvent, PaymentEvents } from '../payment/events.js';
import { Payloads } from './payloads.js';
import { empBody, jsonBody, openBench } from './test/bench.js';

const bench = await openBench(t);
const { pool, objects } = bench;
const events = new PaymentEvents(pool);
const bodies = Array.from({ length: 600 }, (_, n) => (n % 2 === 0 ? empBody(n) : jsonBody(n)));
const ids = await bench.insert(bodies);
const BLOCK = { eventsMax: 50_000, payloadBytesMax: 32 * 1024 * 1024, blockBytes: 16_384 };
const open = () => new Payloads(pool, async () => objects, silentLogger);

async function eventOf(at: number) {
  const event = await events.get(ids[at] ?? '');
  if (event === undefined) throw new Error('there is no such event');
  return event;
}

t.test('in Postgres it is at hand, and nothing is fetched', async (t) => {
  const event = await eventOf(1);
  t.ok(bodies[1]?.equals(await open().payloadOf(event)));
  t.equal(event.bytes, bodies[1]?.length);
  t.equal(objects.reads, 0);
  await bench.run({ limits: BLOCK });
  t.ok(bodies[1]?.equals(await open().payloadOf(event)), 'an event that was read before it was archived');
  const archived = await eventOf(1);
  t.equal(archived.bytes, bodies[1]?.length);
  t.equal(archived.payload, undefined);
  objects.reads = 0;
});

t.test('one range for a block, whoever asks, and then the cache', async (t) => {
  const payloads = open();
  const [first, second] = [await eventOf(0), await eventOf(2)];
  const found = await Promise.all([first, second, first].map((event) => payloads.payloadOf(event)));
  t.ok(bodies[0]?.equals(found[0] ?? Buffer.alloc(0)));
  t.ok(bodies[2]?.equals(found[1] ?? Buffer.alloc(0)));
  t.equal(objects.reads, 1);
  for (const [at, body] of bodies.entries()) {
    if (!body.equals(await payloads.payloadOf(await eventOf(at)))) t.fail(`payload ${at}`);
  }
  const [blocks] = await bench.rows<{ n: number }>('SELECT count(DISTINCT block_at)::int AS n FROM events');
  t.equal(objects.reads, blocks?.n);
  t.ok((blocks?.n ?? 0) > 20);
});

t.test('those who ask for a segment at the same time ask Postgres once; later, again', async (t) => {
  let asked = 0;
  const counting = {
    query: ((...args: Parameters<typeof pool.query>) => {
      asked++;
      return pool.query(...args);
    }) as typeof pool.query,
  };
  const payloads = new Payloads(counting, async () => objects, silentLogger);
  const all = await Promise.all([0, 1, 2, 3].map(eventOf));
  for (const times of [1, 2]) {
    await Promise.all(all.map((event) => payloads.payloadOf(event)));
    t.equal(asked, times);
  }
});

t.test('no more than eight are fetched at once', async (t) => {
  const payloads = open();
  const rows = await bench.rows<{ id: string }>('SELECT DISTINCT ON (block_at) id FROM events LIMIT 10');
  const apart: PaymentEvent[] = [];
  for (const { id } of rows) apart.push(await eventOf(ids.indexOf(id)));
  let go = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  objects.before = () => held;
  const refused: unknown[] = [];
  const ends = apart.map((event) =>
    payloads.payloadOf(event).catch(({ code, outage }) => void refused.push({ code, outage })),
  );
  await until('two are refused', () => refused.length === 2);
  go();
  await Promise.all(ends);
  objects.before = () => {};
  t.strictSame(refused, Array(2).fill({ code: 'TETHER_ARCHIVE_BUSY', outage: true }));
  for (const event of apart) t.ok(await payloads.payloadOf(event), 'it comes when it is asked for again');
});

t.test('the store is away: an outage, and nothing else of the event is', async (t) => {
  await rename(bench.directory, `${bench.directory}-away`);
  const event = await eventOf(5);
  await t.rejects(open().payloadOf(event), { code: 'TETHER_OBJECTS_UNAVAILABLE', outage: true });
  await rename(`${bench.directory}-away`, bench.directory);
  t.ok(bodies[5]?.equals(await open().payloadOf(event)));
});

t.test('damaged, missing, another one, or kept nowhere', async (t) => {
  const event = await eventOf(7);
  const { place } = event;
  if (place === undefined) throw new Error('it is archived');
  const DAMAGED = { code: 'TETHER_ARCHIVE_DAMAGED', retryable: false };
  const told: unknown[] = [];
  const logger = { ...silentLogger, error: (fields: object) => void told.push(fields) };
  const payloads = new Payloads(pool, async () => objects, logger);
  for (const wrong of [
    { ...place, blockAt: place.blockAt + 1 },
    { ...place, blockLength: place.blockLength - 1 },
    { ...place, blockAt: 1_000_000_000 },
    { ...place, payloadAt: place.payloadAt + 1 },
    { ...place, payloadLength: place.payloadLength + 1 },
  ]) {
    await t.rejects(payloads.payloadOf({ ...event, place: wrong }), DAMAGED);
  }
  await t.rejects(payloads.payloadOf({ ...event, id: ids[8] ?? '' }), DAMAGED, "another event's");
  t.equal(told.length, 6);
  t.match(told[0], { event: event.id, segment: place.segment });
  await t.rejects(payloads.payloadOf({ ...event, place: undefined }), { code: 'TETHER_PAYLOAD_GONE' });

  await pool.query('UPDATE archive_segments SET format = 2');
  await t.rejects(payloads.payloadOf(event), { code: 'TETHER_ARCHIVE_FORMAT', message: /format 2/ });
  await pool.query('UPDATE archive_segments SET format = 1');

  const [key = ''] = await bench.stored();
  await objects.delete(key);
  await t.rejects(open().payloadOf(event), { code: 'TETHER_ARCHIVE_DAMAGED', message: /is not there/ });
  const kept = open();
  await pool.query(`UPDATE archive_segments SET state = 'expired'`);
  await t.rejects(kept.payloadOf(event), { code: 'TETHER_PAYLOAD_GONE' });
});

t.test('on S3', async (t) => {
  const server = await startTestS3Server(t);
  const store = await openObjectStore({ driver: 's3', url: server.url('archive') });
  t.teardown(() => store.close());
  await store.prepare();
  const some = bodies.slice(0, 300);
  const own = await bench.insert(some);
  await bench.run({ limits: BLOCK }, { objects: store });
  t.equal((await store.list('archive/', { limit: 10 })).length, 1);
  const payloads = new Payloads(pool, async () => store, silentLogger);
  for (const [at, body] of some.entries()) {
    const event = await events.get(own[at] ?? '');
    if (event === undefined || !body.equals(await payloads.payloadOf(event))) t.fail(`payload ${at}`);
  }
  t.equal((await bench.rows('SELECT 1 FROM events WHERE payload IS NOT NULL')).length, 0);
});
