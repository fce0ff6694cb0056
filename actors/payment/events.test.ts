import { randomUUID } from 'node:crypto';
import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { createPool } from '../../storage/postgres/pool.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { type EventFilter, PaymentEvents } from './events.js';
import { messageOf, openActor } from './test/harness.js';

const { pool, url } = await startTestPostgres(t);
const events = new PaymentEvents(pool);
const idAt = (ms: number) => {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${randomUUID().slice(-12)}`;
};

const actor = await openActor(url);
t.teardown(() => actor.close());
const at = 1_700_000_000_000;
const sent = {
  pending: messageOf('unique_id=p1&status=pending_async&amount=100&currency=EUR', 'emp', idAt(at)),
  approved: messageOf('unique_id=p1&status=approved&amount=100&currency=EUR', 'emp', idAt(at + 1_000)),
  // The older form: its own id, of another payment.
  chargeback: messageOf(
    'unique_id=x-p1&transaction_type=chargeback&original_transaction_unique_id=p1&status=approved',
    'emp',
    idAt(at + 2_000),
  ),
  elsewhere: messageOf('unique_id=p1&status=approved', 'other', idAt(at + 3_000)),
  colon: messageOf('unique_id=a%3Ab&status=approved', 'emp', idAt(at + 4_000)),
  kyc: messageOf('reference_id=p1&notification_type=kyc_service_execution', 'emp', idAt(at + 5_000)),
};
await actor.receive(Object.values(sent));
const names = new Map(Object.entries(sent).map(([name, { id }]) => [id, name]));
const find = async (filter: Omit<EventFilter, 'limit'>, limit = 50) =>
  (await events.find({ ...filter, limit })).events.map(({ id }) => names.get(id)).join(' ');

t.test('by each of its parts, the newest first', async (t) => {
  const cases: [Omit<EventFilter, 'limit'>, string][] = [
    [{}, 'kyc colon elsewhere chargeback approved pending'],
    [{ id: sent.approved.id }, 'approved'],
    [{ id: randomUUID() }, ''],
    [{ id: "' OR 1=1" }, ''],
    [{ key: 'p1' }, 'kyc elsewhere chargeback approved pending'],
    [{ key: 'p1', endpoint: 'emp', kind: 'processing' }, 'chargeback approved pending'],
    [{ key: 'p' }, ''],
    [{ key: 'a:b' }, 'colon'],
    [{ key: '%' }, ''],
    [{ dedupe: 'processing:p1:' }, 'elsewhere approved pending'],
    [{ dedupe: 'processing:p1::pen' }, 'pending'],
    [{ endpoint: 'other' }, 'elsewhere'],
    [{ kind: 'kyc' }, 'kyc'],
    [{ status: 'applied', endpoint: 'emp', key: 'p1' }, 'chargeback approved pending'],
    [{ from: at + 1_000, to: at + 3_000 }, 'chargeback approved'],
    [{ to: at }, ''],
    [{ from: at + 5_001 }, ''],
    [{ before: sent.approved.id }, 'pending'],
    [{ before: 'no id' }, ''],
  ];
  for (const [filter, found] of cases) t.equal(await find(filter), found, JSON.stringify(filter));
  for (const limit of [0, 201, 1.5]) await t.rejects(events.find({ limit }), RangeError);
});

t.test('page after page, also of those that are few among many', async (t) => {
  const seen: string[] = [];
  let before: string | undefined;
  do {
    const page = await events.find({ limit: 2, ...(before === undefined ? {} : { before }) });
    seen.push(...page.events.map(({ id }) => names.get(id) ?? '?'));
    before = page.next;
  } while (before !== undefined);
  t.equal(seen.join(' '), 'kyc colon elsewhere chargeback approved pending');

  await pool.query(`
    INSERT INTO events (id, endpoint, kind, key, dedupe, status, received_at, payload)
    SELECT ('0fffffff-ffff-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'many', 'processing', 'm' || n, 'processing:m' || n || '::x', 'recorded', now(), ''
    FROM generate_series(1, 50100) n`);
  t.teardown(() => pool.query(`DELETE FROM events WHERE endpoint = 'many'`));
  const first = await events.find({ endpoint: 'other', limit: 50 });
  t.strictSame(first.events, [], 'a page reads a bounded part');
  t.ok(first.next);
  t.equal(
    await find({ endpoint: 'other', ...(first.next === undefined ? {} : { before: first.next }) }),
    'elsewhere',
  );
  t.equal(await find({ key: 'p1', endpoint: 'other' }), 'elsewhere', 'a key is found wherever it is');
});

t.test('searches by id and key use an index each', async (t) => {
  await pool.query('ANALYZE events');
  const plan = async (sql: string) => JSON.stringify((await pool.query(`EXPLAIN (FORMAT JSON) ${sql}`)).rows);
  t.match(await plan(`SELECT * FROM events WHERE id = '${randomUUID()}'`), /events_by_id/);
  t.match(
    await plan(
      `SELECT * FROM events WHERE key = 'x' AND (meta IS NOT NULL OR split_part(dedupe, ':', 2) <> key)`,
    ),
    /events_by_key/,
  );
});

t.test(
  'a webhook of another sender is found by its key, whatever its deduplication key looks like',
  async (t) => {
    t.teardown(() => pool.query(`DELETE FROM events WHERE endpoint = 'shop'`));
    const dedupes = ['evt_1', 'x:c1', 'processing:c1:x', 'x:other', 'x:c1:y'];
    await pool.query(
      `INSERT INTO events (id, endpoint, kind, key, dedupe, status, received_at, meta, payload)
     SELECT ('0effffff-ffff-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'shop', 'paid', 'c1', d, 'routed', now(), '{}', ''
     FROM unnest($1::text[]) WITH ORDINALITY AS u (d, n)`,
      [dedupes],
    );
    const page = await events.find({ key: 'c1', limit: 50 });
    t.strictSame(page.events.map(({ dedupe }) => dedupe).reverse(), dedupes, 'each once');
  },
);

t.test('one event whole, and its payment', async (t) => {
  const event = await events.get(sent.approved.id);
  t.match(event, {
    endpoint: 'emp',
    kind: 'processing',
    key: 'p1',
    reportedStatus: 'approved',
    status: 'applied',
    traceparent: undefined,
  });
  t.strictSame(event?.payload, sent.approved.payload);
  t.equal(event?.receivedAt, sent.approved.receivedAt);
  t.match(await events.payment('emp', 'p1'), {
    status: 'chargebacked',
    amount: 100,
    currency: 'EUR',
    history: [
      { status: 'pending_async' },
      { status: 'approved' },
      { status: 'chargebacked', message: sent.chargeback.id },
    ],
  });
  t.equal(await events.payment('emp', 'nobody'), undefined);
});

t.test('a search ends in time, and few run at once', async (t) => {
  const narrow = createPool({ url, connectionsMax: 6, applicationName: 'tether test', logger: silentLogger });
  t.teardown(() => narrow.end());
  const search = new PaymentEvents(narrow);
  const lock = await pool.connect();
  t.teardown(() => lock.release(true));
  await lock.query('BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE');
  const ends = await Promise.allSettled(Array.from({ length: 5 }, () => search.find({ limit: 1 })));
  const codes = ends.map((end) =>
    end.status === 'rejected' ? (end.reason as { code: string }).code : 'found',
  );
  t.strictSame(codes, [
    ...Array.from({ length: 4 }, () => 'TETHER_EVENT_SEARCH_SLOW'),
    'TETHER_EVENT_SEARCH_BUSY',
  ]);
  await lock.query('ROLLBACK');
  t.equal((await search.find({ limit: 1 })).events.length, 1, 'and it goes on');
});
