/** Payloads leave Postgres, and come back byte for byte, whatever happens on the way. */
import { randomBytes, randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import { testSeed } from '../../runtime/testing/seed.js';
import { ObjectRefusedError } from '../../storage/objects/errors.js';
import { holdEpochs, raiseEpochs } from '../../storage/postgres/fence.js';
import { intercepted } from '../payment/test/harness.js';
import { archive, isDue } from './archiver.js';
import { empBody, jsonBody, openBench, otherPool, RULES } from './test/bench.js';

const AWAY = { code: 'TETHER_OBJECTS_UNAVAILABLE', outage: true };
const seed = testSeed(t);
const bench = await openBench(t);
const { pool, objects } = bench;

const statesOf = async () =>
  (
    await bench.rows<{ text: string }>(
      `SELECT concat_ws(' ', count(*), state) AS text FROM archive_segments GROUP BY state ORDER BY state`,
    )
  ).map(({ text }) => text);

t.beforeEach(async () => {
  objects.before = objects.after = () => {};
  objects.change = (bytes) => bytes;
  await pool.query('TRUNCATE events, archive_segments');
  for (const key of await bench.stored()) await objects.delete(key);
  objects.puts = 0;
});

/** All of them, through the one way to a payload. */
async function wrong(ids: readonly string[], bodies: readonly Buffer[]): Promise<readonly number[]> {
  const found: number[] = [];
  for (const [at, id] of ids.entries()) {
    const payload = await bench.payloadOf(id);
    if (!bodies[at]?.equals(payload)) found.push(at);
  }
  return found;
}

/** A point that somebody reaches, and leaves when he is told to. */
function holdUp() {
  let reached = () => {};
  let go = () => {};
  const isReached = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const mayGo = new Promise<void>((resolve) => {
    go = resolve;
  });
  return {
    reached: isReached,
    go,
    async reach() {
      reached();
      await mayGo;
    },
  };
}

const inPostgres = async () =>
  (await bench.rows<{ n: number }>('SELECT count(*)::int AS n FROM events WHERE payload IS NOT NULL'))[0]?.n;

t.test('bodies of all sorts: out of Postgres, and back byte for byte', async (t) => {
  const odd = [Buffer.alloc(0), randomBytes(65_536), Buffer.alloc(65_536, 'a'), Buffer.from([0, 255, 128])];
  const bodies = [...odd, ...Array.from({ length: 200 }, (_, n) => (n % 3 === 0 ? jsonBody(n) : empBody(n)))];
  const ids = await bench.insert(bodies);
  const [before] =
    await bench.rows(`SELECT count(*), md5(string_agg(concat_ws(',', seq, id, dedupe, status, received_at, processed_at), ';'
    ORDER BY seq)) FROM events`);
  await bench.run();
  t.equal(objects.puts, 1);
  t.equal(await inPostgres(), 0);
  t.strictSame(await wrong(ids, bodies), []);
  const [after] =
    await bench.rows(`SELECT count(*), md5(string_agg(concat_ws(',', seq, id, dedupe, status, received_at, processed_at), ';'
    ORDER BY seq)) FROM events`);
  t.strictSame(after, before, 'nothing else of an event changes');
  t.strictSame(await statesOf(), ['1 written']);
  const [segment] = await bench.rows<{ events: number; payload_bytes: string; bytes: string; key: string }>(
    'SELECT events, payload_bytes, bytes, object_key AS key FROM archive_segments',
  );
  t.equal(segment?.events, bodies.length);
  t.equal(
    Number(segment?.payload_bytes),
    bodies.reduce((sum, { length }) => sum + length, 0),
  );
  t.equal((await objects.stat(segment?.key ?? ''))?.bytes, Number(segment?.bytes));
  await bench.run();
  t.equal(objects.puts, 1, 'there is nothing to do');
});

t.test('a segment is full, or its oldest has waited long enough', async (t) => {
  const rules = {
    ...RULES,
    afterMs: 1_000,
    patienceMs: 500,
    limits: { ...RULES.limits, eventsMax: 100, payloadBytesMax: 9_000 },
  };
  const cases = [
    [{ events: 0, payloadBytes: 0, oldestMs: 0 }, false],
    [{ events: 1, payloadBytes: 10, oldestMs: 1_499 }, false],
    [{ events: 1, payloadBytes: 10, oldestMs: 1_500 }, true],
    [{ events: 99, payloadBytes: 8_999, oldestMs: 1_000 }, false],
    [{ events: 100, payloadBytes: 10, oldestMs: 1_000 }, true],
    [{ events: 2, payloadBytes: 9_000, oldestMs: 1_000 }, true],
  ] as const;
  for (const [waiting, due] of cases) t.equal(isDue(waiting, rules), due, JSON.stringify(waiting));
  t.notOk(isDue({ events: 100, payloadBytes: 9_000, oldestMs: 9_000 }, { ...rules, afterMs: undefined }));

  const hourMs = 3_600_000;
  const limits = { ...RULES.limits, eventsMax: 10 };
  await bench.insert(Array.from({ length: 25 }, (_, n) => empBody(n)));
  await bench.run({ limits, patienceMs: 10 * hourMs });
  t.equal(objects.puts, 2, 'two that are full');
  t.equal(await inPostgres(), 5, 'the rest waits for more');
  await bench.run({ limits, afterMs: 2 * hourMs });
  t.equal(objects.puts, 2, 'too young');
  await bench.run({ limits, patienceMs: hourMs / 2 });
  t.equal(objects.puts, 3);
  t.equal(await inPostgres(), 0);
});

t.test('what is delayed needs its payload; what commits late is not passed over', async (t) => {
  const [delayed = ''] = await bench.insert([empBody(1)], { status: 'delayed' });
  const late = await otherPool(t, bench.url).connect();
  await late.query('BEGIN');
  await late.query(
    `INSERT INTO events (id, endpoint, kind, key, dedupe, status, received_at, processed_at, payload)
     VALUES ($1, 'shop', 'test', 'k', 'late', 'recorded', now(), now() - interval '2 hours', 'late')`,
    [randomUUID()],
  );
  const ids = await bench.insert([empBody(2), empBody(3)]);
  await bench.run();
  t.equal(await inPostgres(), 1, 'the delayed one');
  t.strictSame(await wrong(ids, [empBody(2), empBody(3)]), []);
  await late.query('COMMIT');
  late.release(false);
  await pool.query(`UPDATE events SET status = 'routed' WHERE id = $1`, [delayed]);
  t.equal(await inPostgres(), 2);
  await bench.run();
  t.equal(await inPostgres(), 0);
  t.strictSame(await wrong([delayed], [empBody(1)]), []);
});

t.test('what waits is found by its index, however many are too young', async (t) => {
  await bench.insert(Array.from({ length: 3_000 }, (_, n) => empBody(n)));
  await pool.query('ANALYZE events');
  const plan = await bench.rows(`EXPLAIN (FORMAT JSON) SELECT octet_length(payload) FROM events
    WHERE payload IS NOT NULL AND status <> 'delayed' AND processed_at < now() - interval '2 hours' ORDER BY processed_at LIMIT 50000`);
  t.match(JSON.stringify(plan), /"Index Name":"events_to_archive"/);
  await bench.run();
  const [size] = await bench.rows<{ n: number }>(
    `SELECT count(*)::int AS n FROM events WHERE payload IS NOT NULL AND status <> 'delayed'`,
  );
  t.equal(size?.n, 0);
});

t.test('two archive the same: the second drops what it made', async (t) => {
  const bodies = Array.from({ length: 50 }, (_, n) => empBody(n));
  const ids = await bench.insert(bodies);
  let other: Promise<void> | undefined;
  objects.after = async (call) => {
    if (call !== 'put' || other !== undefined) return;
    // While the first has put its segment and not committed it.
    other = Promise.resolve();
    await bench.run({}, { pool: otherPool(t, bench.url) });
  };
  await bench.run();
  t.equal(objects.puts, 2);
  t.strictSame(await statesOf(), ['1 dropping', '1 written']);
  t.strictSame(await wrong(ids, bodies), []);
  await bench.run();
  t.equal((await bench.stored()).length, 1, 'and its object is removed');
});

t.test('it was slow, and its segment is given up by another: it refers to nothing', async (t) => {
  const ids = await bench.insert([empBody(1)]);
  let isSlow = true;
  objects.after = async (call) => {
    // It is read back already, as far as this one knows.
    if (call !== 'put' || !isSlow) return;
    isSlow = false;
    const commit = holdUp();
    void commit.reached.then(async () => {
      await pool.query(`UPDATE archive_segments SET created_at = now() - interval '16 minutes'`);
      await bench.run({ afterMs: undefined });
      commit.go();
    });
    slow = commit;
  };
  let slow: ReturnType<typeof holdUp> | undefined;
  const held = intercepted(pool, async (sql, run) => {
    if (/state = 'written'/.test(sql)) await slow?.reach();
    return run();
  });
  await bench.run({}, { pool: held });
  t.strictSame(await statesOf(), ['1 dropping', '1 written']);
  t.equal((await bench.stored()).length, 1);
  t.strictSame(await wrong(ids, [empBody(1)]), []);
});

t.test('many at once, at random: each payload is in one segment', async (t) => {
  const bodies = Array.from({ length: 600 }, (_, n) => (n % 2 === 0 ? empBody(n) : jsonBody(n)));
  const ids = await bench.insert(bodies);
  let random = seed % 2_147_483_647 || 1;
  objects.after = async () => {
    random = (random * 48_271) % 2_147_483_647;
    await new Promise((resolve) => setTimeout(resolve, random % 15));
  };
  const limits = { ...RULES.limits, eventsMax: 150 };
  await Promise.all([1, 2, 3].map(() => bench.run({ limits }, { pool: otherPool(t, bench.url) })));
  t.equal(await inPostgres(), 0);
  t.strictSame(await wrong(ids, bodies), []);
  const [sums] = await bench.rows<{ n: number; refers: number }>(`
    SELECT sum(events)::int AS n, (SELECT count(DISTINCT segment) FROM events)::int AS refers FROM archive_segments WHERE state = 'written'`);
  t.strictSame(sums, { n: bodies.length, refers: 4 });
  objects.after = () => {};
  await bench.run();
  t.equal((await bench.stored()).length, 4);
});

t.test('who has lost its partition writes nothing', async (t) => {
  const log = randomUUID();
  await raiseEpochs(pool, log, 'archive', [{ partition: 3, epoch: 1 }]);
  const hold = (epoch: number) => (transaction: Parameters<typeof holdEpochs>[0]) =>
    holdEpochs(transaction, log, 'archive', [{ partition: 3, epoch }]);
  const ids = await bench.insert([empBody(1)]);
  objects.after = async (call) => {
    if (call === 'put') await raiseEpochs(pool, log, 'archive', [{ partition: 3, epoch: 2 }]);
  };
  await t.rejects(bench.run({}, { hold: hold(1) }), { code: 'TETHER_FENCED', outage: true });
  t.equal(await inPostgres(), 1);
  t.equal(objects.puts, 1);
  await t.rejects(bench.run({}, { hold: hold(1) }), { code: 'TETHER_FENCED' });
  t.equal(objects.puts, 1, 'it puts nothing either');
  objects.after = () => {};
  await bench.run({}, { hold: hold(2) });
  t.strictSame(await wrong(ids, [empBody(1)]), []);
  t.equal((await bench.stored()).length, 1);
});

t.test('a store that is away, or gives something else back: payloads stay', async (t) => {
  const ids = await bench.insert([empBody(1), empBody(2)]);
  await rename(bench.directory, `${bench.directory}-away`);
  await t.rejects(bench.run(), AWAY);
  await rename(`${bench.directory}-away`, bench.directory);
  t.equal(await inPostgres(), 2);

  objects.change = (bytes) => {
    const changed = Buffer.from(bytes);
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
    return changed;
  };
  await t.rejects(bench.run(), { code: 'TETHER_ARCHIVE_DAMAGED' });
  objects.change = (bytes) => bytes.subarray(0, -1);
  await t.rejects(bench.run(), { code: 'TETHER_ARCHIVE_DAMAGED' });
  t.equal(await inPostgres(), 2);

  objects.change = (bytes) => bytes;
  await bench.run();
  t.strictSame(await wrong(ids, [empBody(1), empBody(2)]), []);
  t.strictSame(await statesOf(), ['3 dropping', '1 written']);
  t.equal((await bench.stored()).length, 1);
});

t.test('the answer of a commit is lost: it is done, and stays so', async (t) => {
  const ids = await bench.insert([empBody(1)]);
  let commits = 0;
  const lossy = intercepted(pool, async (sql, run) => {
    const result = await run();
    // The transactions before it read what there is, and note the segment.
    if (sql === 'COMMIT' && ++commits === 3) throw new Error('the connection is lost');
    return result;
  });
  await t.rejects(bench.run({}, { pool: lossy }), /connection is lost/);
  t.strictSame(await statesOf(), ['1 written']);
  await bench.run();
  t.equal(objects.puts, 1);
  t.strictSame(await wrong(ids, [empBody(1)]), []);
});

t.test('what a crash left is removed, and removed again a day later', async (t) => {
  const writing = async (age: string) => {
    const id = randomUUID();
    await pool.query(
      `INSERT INTO archive_segments (id, state, format, object_key, events, bytes, payload_bytes, sha256, oldest, newest, created_at)
       VALUES ($1, 'writing', 1, 'archive/made/' || $3, 1, 1, 1, '', now(), now(), now() - $2::interval)`,
      [id, age, id],
    );
    await objects.put(`archive/made/${id}`, Buffer.from('left'));
    return id;
  };
  const old = await writing('16 minutes');
  const young = await writing('14 minutes');
  await bench.run();
  t.strictSame(await bench.stored(), [`archive/made/${young}`]);
  t.strictSame(await statesOf(), ['1 dropping', '1 writing']);
  // A PUT of the writer that is gone arrives after all.
  await objects.put(`archive/made/${old}`, Buffer.from('late'));
  await bench.run();
  t.equal((await bench.stored()).length, 2);
  await pool.query(
    `UPDATE archive_segments SET removed_at = removed_at - interval '25 hours' WHERE id = $1`,
    [old],
  );
  await bench.run();
  t.strictSame(await bench.stored(), [`archive/made/${young}`]);
  t.strictSame(await statesOf(), ['1 writing']);
});

t.test('a segment that is over goes; its events stay, and say so', async (t) => {
  const old = await bench.insert([empBody(1), empBody(2)]);
  await pool.query(`UPDATE events SET processed_at = now() - interval '30 days 12 hours'`);
  await bench.run();
  const young = await bench.insert([empBody(3)]);
  await pool.query(`UPDATE events SET processed_at = now() - interval '29 days' WHERE payload IS NOT NULL`);
  await bench.run({ keepDays: 31 });
  t.strictSame(await statesOf(), ['2 written'], 'none with 31 days');

  objects.before = (call) => {
    if (call === 'delete') throw new Error('killed');
  };
  await t.rejects(bench.run({ keepDays: 30 }), /killed/);
  t.strictSame(await statesOf(), ['1 expired', '1 written']);
  await t.rejects(bench.payloadOf(old[0] ?? ''), { code: 'TETHER_PAYLOAD_GONE', retryable: false });
  objects.before = () => {};
  await bench.run({ keepDays: 30 });
  t.strictSame(await statesOf(), ['1 expired', '1 written']);
  t.equal((await bench.stored()).length, 1);
  for (const id of old) await t.rejects(bench.payloadOf(id), { code: 'TETHER_PAYLOAD_GONE' });
  t.strictSame(await wrong(young, [empBody(3)]), []);
  t.equal((await bench.rows('SELECT 1 FROM events')).length, 3);
  await bench.run({ keepDays: 30, afterMs: undefined });
  t.equal((await bench.stored()).length, 1, 'retention without archiving');
});

t.test('a store that removes nothing now keeps nothing from being archived', async (t) => {
  await bench.insert([empBody(1)]);
  await pool.query(`UPDATE events SET processed_at = now() - interval '31 days'`);
  await bench.run();
  await bench.insert([empBody(2)]);
  objects.before = (call) => {
    if (call === 'delete') throw new ObjectRefusedError('may not');
  };
  await bench.run({ keepDays: 30 });
  t.equal(await inPostgres(), 0);
  t.strictSame(await statesOf(), ['1 expired', '1 written']);
});

t.test('time is over: it pauses between two steps, and goes on', async (t) => {
  const bodies = Array.from({ length: 400 }, (_, n) => empBody(n));
  const ids = await bench.insert(bodies);
  const limits = { ...RULES.limits, eventsMax: 100 };
  const source = new MessageIdSource();
  const nextId = () => source.next(Date.now());
  const parts = { pool, objects, rules: { ...RULES, limits }, hold: undefined, nextId, logger: silentLogger };
  let asked = 0;
  let pauses = 0;
  while ((await archive(parts, () => ++asked % 4 === 0)) === 'paused') pauses++;
  t.ok(pauses > 1, `${pauses} pauses`);
  t.equal(await inPostgres(), 0);
  t.strictSame(await wrong(ids, bodies), []);
  t.equal(await archive(parts, () => true), 'paused');
});
