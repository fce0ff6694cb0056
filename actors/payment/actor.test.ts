import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { RawMessage } from '../../runtime/message.js';
import { legacyChargeback, VECTORS } from '../emp/test/vectors.js';
import {
  type BlacklistIdentity,
  blacklistPlace,
  convertTable,
  IBAN_TABLES,
  type IbanKeys,
  openIban,
} from '../ibans/index.js';
import { keyText, madeKeys } from '../ibans/test/keyring.js';
import { openDatabase } from './test/database.js';
import { messageOf, openActor } from './test/harness.js';

const IBAN = 'DE89370400440532013000';

const database = await openDatabase(t);
const { rows, url } = database;

const actor = await openActor(url);
t.teardown(() => actor.close());
const newId = (): string => randomUUID().replaceAll('-', '');

const eventsOf = (...ids: string[]) =>
  rows('SELECT endpoint, key, status, reported_status FROM events WHERE key = ANY($1) ORDER BY seq', [ids]);
const statusOf = async (id: string, endpoint = 'emp') =>
  (
    await rows<{ status: string }>('SELECT status FROM payments WHERE id = $1 AND endpoint = $2', [
      id,
      endpoint,
    ])
  )[0]?.status;

t.test('the documented notifications, as rows', async (t) => {
  const messages = Object.values(VECTORS).map((body) => messageOf(body));
  await actor.receive(messages);
  t.strictSame(
    await rows('SELECT kind, dedupe, status, id, payload FROM events ORDER BY seq'),
    messages.map(({ dedupe, id, payload }) => ({
      kind: dedupe.slice(0, dedupe.indexOf(':')),
      dedupe,
      status: /^(kyc|apm)/.test(dedupe) ? 'recorded' : 'applied',
      id,
      payload: Buffer.from(payload),
    })),
  );
  t.match(await rows('SELECT * FROM payments WHERE id = $1', ['44177a21403427eb96664a6d7e5d5d48']), [
    {
      endpoint: 'emp',
      status: 'chargebacked',
      amount: '4999',
      currency: 'EUR',
      transaction_id: 'tether_1001_ab12',
      transaction_type: 'sdd_sale',
      history: [
        { status: 'approved', event: '', at: messages[0]?.receivedAt, message: messages[0]?.id },
        {
          status: 'chargebacked',
          event: 'chargeback',
          at: messages[2]?.receivedAt,
          message: messages[2]?.id,
        },
      ],
    },
  ]);
  t.strictSame(
    await rows(`SELECT key FROM events WHERE dedupe LIKE 'processing:44177a21403427eb96664a6d7e5d5d48:%'`),
    [{ key: '44177a21403427eb96664a6d7e5d5d48' }, { key: '44177a21403427eb96664a6d7e5d5d48' }],
    'found by prefix',
  );
});

t.test('duplicates take effect once: in a batch, across batches, a day apart', async (t) => {
  const id = newId();
  const body = `unique_id=${id}&status=approved&amount=1`;
  const first = messageOf(body);
  await actor.receive([first, messageOf(body), messageOf(`${body}&repeated=yes`)]);
  await actor.receive([messageOf(body)]);
  actor.resources.recent.clear();
  await actor.receive([messageOf(body), messageOf(`unique_id=${id}&status=chargebacked`), messageOf(body)]);
  const later = await openActor(url);
  await later.receive([messageOf(body)]);
  await later.close();
  t.match(await eventsOf(id), [{ status: 'applied' }, { status: 'applied' }]);
  t.strictSame(await rows('SELECT id FROM events WHERE key = $1 ORDER BY seq LIMIT 1', [id]), [
    { id: first.id },
  ]);
  t.equal(await statusOf(id), 'chargebacked');
});

t.test('what is remembered is what is committed', async (t) => {
  const id = newId();
  const good = messageOf(`unique_id=${id}&status=approved`);
  const bad: RawMessage = { ...messageOf('unique_id=x'), payload: Buffer.from('unique_id=') };
  await t.rejects(actor.receive([good, bad]), { code: 'TETHER_EMP_MALFORMED', retryable: false });
  t.strictSame(await eventsOf(id), [], 'nothing half done');
  await actor.receive([good]);
  t.equal(await statusOf(id), 'approved');
});

t.test('a key that is not the notification’s is refused', async (t) => {
  const honest = messageOf(`unique_id=${newId()}&status=approved`);
  for (const key of ['emp:other', `emp:x${honest.key.slice(4)}`, 'emp', '', ':x']) {
    await t.rejects(actor.receive([{ ...honest, key }]), { code: 'TETHER_EMP_MALFORMED' }, key);
  }
});

t.test('approved after chargebacked is stale, in one batch and in two', async (t) => {
  const [a, b] = [newId(), newId()];
  await actor.receive([
    messageOf(`unique_id=${a}&status=chargebacked&event=chargeback`),
    messageOf(`unique_id=${a}&status=approved`),
    messageOf(`unique_id=${b}&status=chargebacked&event=chargeback`),
  ]);
  const before = await rows('SELECT * FROM payments WHERE id = $1', [b]);
  await actor.receive([messageOf(`unique_id=${b}&status=approved&amount=7&currency=EUR`)]);
  t.match(await eventsOf(a), [{ status: 'applied' }, { status: 'stale', reported_status: 'approved' }]);
  t.match(await eventsOf(b), [{ status: 'applied' }, { status: 'stale' }]);
  t.strictSame(await rows('SELECT * FROM payments WHERE id = $1', [b]), before, 'stale changes nothing');
});

t.test('two endpoints that see one id do not touch each other', async (t) => {
  const id = newId();
  const body = `unique_id=${id}&status=`;
  await actor.receive([messageOf(`${body}approved`, 'one'), messageOf(`${body}approved`, 'two')]);
  await actor.receive([messageOf(`${body}chargebacked`, 'two')]);
  t.equal(await statusOf(id, 'one'), 'approved');
  t.equal(await statusOf(id, 'two'), 'chargebacked');
  t.equal((await eventsOf(id)).length, 3);
});

t.test('a legacy chargeback, once before and once after its payment', async (t) => {
  const [a, b] = [newId(), newId()];
  await actor.receive([messageOf(`unique_id=${a}&status=approved&amount=5&transaction_id=t1`)]);
  await actor.receive([
    messageOf(legacyChargeback(newId(), a, '')),
    messageOf(legacyChargeback(newId(), b, '')),
  ]);
  await actor.receive([messageOf(`unique_id=${b}&status=approved&amount=5`)]);
  t.match(await rows('SELECT * FROM payments WHERE id = $1', [a]), [
    { status: 'chargebacked', amount: '5', transaction_id: 't1' },
  ]);
  t.match(await eventsOf(b), [{ status: 'applied', reported_status: 'chargebacked' }, { status: 'stale' }]);
});

t.test('the blacklist', async (t) => {
  const listed = (id: string) =>
    rows('SELECT iban, reason_code, transaction_id FROM blacklist WHERE payment_id = $1 ORDER BY id', [id]);
  const [known, told, unknown, other] = [newId(), newId(), newId(), newId()];
  await rows('INSERT INTO debtors (transaction_id, iban) VALUES ($1, $2), ($3, $2)', [
    `t-${known}`,
    IBAN,
    `t-${other}`,
  ]);

  await actor.receive([messageOf(`unique_id=${known}&status=approved&transaction_id=t-${known}`)]);
  const back = 'status=chargebacked&event=chargeback';
  await actor.receive([
    messageOf(`unique_id=${known}&${back}&rc_code=AC04&iban=GB82WEST12345698765432`),
    messageOf(`unique_id=${other}&${back}&rc_code=AC01&transaction_id=t-${other}`),
    messageOf(`unique_id=${told}&${back}&reason_code=MD01&iban=gb82+west+1234+5698+7654+32`),
    messageOf(`unique_id=${unknown}&${back}&rc_code=AG01&iban=GB00WEST12345698765432`),
    messageOf(legacyChargeback(newId(), unknown, 'AC01')),
  ]);
  await actor.receive([messageOf(legacyChargeback(newId(), unknown, 'AC06'))]);
  t.strictSame(await listed(known), [{ iban: IBAN, reason_code: 'AC04', transaction_id: `t-${known}` }]);
  t.strictSame(await listed(other), [], 'an IBAN stands once');
  t.match(await listed(told), [{ iban: 'GB82WEST12345698765432', reason_code: 'MD01' }]);
  t.match(await listed(unknown), [{ iban: null, reason_code: 'AG01' }], 'the payment alone, once');

  const fine = newId();
  await actor.receive([messageOf(`unique_id=${fine}&${back}&rc_code=MD06`)]);
  t.strictSame(await listed(fine), []);
});

t.test('the blacklist, sealed', async (t) => {
  const other = 'GB82WEST12345698765432';
  const [a, ba] = [madeKeys('a'), madeKeys('b', 'a')];
  const seal = async (keys: IbanKeys) => {
    const { signal } = new AbortController();
    for (const table of IBAN_TABLES)
      await convertTable(actor.resources.pool, table, { keys, to: 'sealed', signal });
  };
  const back = (id: string, more: string) =>
    messageOf(`unique_id=${id}&status=chargebacked&event=chargeback&rc_code=AC04${more}`);
  await rows('TRUNCATE blacklist, debtors');
  const [known, told, again, alone] = [newId(), newId(), newId(), newId()];
  await rows('INSERT INTO debtors (transaction_id, iban) VALUES ($1, $2), ($3, $2)', [
    `t-${known}`,
    IBAN,
    `t-${again}`,
  ]);
  await seal(a);
  const sealing = await openActor(url, { ibanKeys: keyText('a') });
  const rotated = await openActor(url, { ibanKeys: keyText('b', 'a') });
  t.teardown(async () => {
    await sealing.close();
    await rotated.close();
  });
  await t.rejects(actor.receive([back(known, `&transaction_id=t-${known}`)]), {
    code: 'TETHER_IBAN_KEY_UNKNOWN',
    outage: true,
  });
  t.equal(await statusOf(known), undefined, 'and nothing is written');
  await sealing.receive([
    back(known, `&transaction_id=t-${known}&iban=${other}`),
    back(told, `&iban=${other}`),
    back(alone, ''),
  ]);
  await t.rejects(actor.receive([back(again, '&iban=DE02120300000000202051')]), {
    code: 'TETHER_IBAN_KEY_UNKNOWN',
  });
  await rotated.receive([
    back(again, `&transaction_id=t-${again}`),
    messageOf(legacyChargeback(newId(), alone, 'AC06')),
  ]);
  await rows(`INSERT INTO blacklist (reason_code, iban) VALUES ('by hand', 'DE02120300000000202051')`);
  await rotated.receive([back(newId(), '&iban=DE02120300000000202051'), back(newId(), `&iban=${other}`)]);
  const listed = await rows<BlacklistIdentity & { iban: string | null; iban_sealed: Buffer | null }>(
    'SELECT id::text, endpoint, payment_id, iban, iban_sealed FROM blacklist ORDER BY blacklist.id',
  );
  t.strictSame(
    listed
      .map((row) => [
        row.payment_id,
        row.iban ?? (row.iban_sealed && openIban(a, row.iban_sealed, blacklistPlace(row))),
      ])
      .sort(),
    [
      [known, IBAN],
      [told, other],
      [alone, null],
      [null, 'DE02120300000000202051'],
    ].sort(),
    'each IBAN once, in whatever form, and a payment without one once',
  );
  await seal(ba);
  t.strictSame(await rows('SELECT count(*)::int AS n FROM blacklist WHERE iban IS NOT NULL'), [{ n: 0 }]);
  await rows('TRUNCATE blacklist, debtors');
});

t.test('text of any kind comes back as it went in', async (t) => {
  const id = `${newId()}"\\{},'é€😀`;
  const body = new URLSearchParams({
    unique_id: id,
    status: 'approved',
    event: 'NULL',
    transaction_id: 'a"b\\c,{d} NULL',
    currency: 'EUR',
  }).toString();
  await actor.receive([messageOf(body)]);
  t.match(await rows('SELECT * FROM payments WHERE id = $1', [id]), [
    { id, transaction_id: 'a"b\\c,{d} NULL', history: [{ event: 'NULL' }] },
  ]);
});

t.test('a history keeps its latest 100 entries', async (t) => {
  const id = newId();
  const circle = ['represented', 'chargebacked'];
  const moves = Array.from({ length: 260 }, (_, n) =>
    messageOf(`unique_id=${id}&status=${circle[n % 2]}&event=e${n}`),
  );
  await actor.receive(moves.slice(0, 90));
  await actor.receive(moves.slice(90, 120));
  await actor.receive(moves.slice(120));
  const [row] = await rows<{ history: { event: string }[] }>('SELECT history FROM payments WHERE id = $1', [
    id,
  ]);
  t.strictSame(
    row?.history.map(({ event }) => event),
    Array.from({ length: 100 }, (_, n) => `e${n + 160}`),
  );
});

t.test('a batch of 500 takes at most six round trips', async (t) => {
  let queries = 0;
  const counting = await openActor(url, {}, (_, run) => {
    queries++;
    return run();
  });
  t.teardown(() => counting.close());
  const ids = Array.from({ length: 250 }, newId);
  const batch = ids.flatMap((id) =>
    ['approved', 'chargebacked&rc_code=AC04'].map((status) => messageOf(`unique_id=${id}&status=${status}`)),
  );
  await counting.receive(batch);
  t.ok(queries >= 3 && queries <= 6, `${queries} queries`);
  t.equal((await eventsOf(...ids)).length, 500);

  queries = 0;
  await counting.receive(batch);
  t.equal(queries, 0, 'what is remembered asks nothing');
});

t.test('two actors with the same messages at once: one row each, the right state', async (t) => {
  const actors = await Promise.all([openActor(url), openActor(url)]);
  t.teardown(() => Promise.all(actors.map((each) => each.close())));
  const ids = Array.from({ length: 60 }, newId);
  const walk = ['pending_async', 'approved', 'chargebacked'];
  for (const status of walk) {
    const bodies = ids.map((id) => `unique_id=${id}&status=${status}`);
    await Promise.all(
      actors.map(async (each, n) => {
        const messages = bodies.map((body) => messageOf(body));
        const ordered = n === 0 ? messages : messages.reverse();
        for (let start = 0; start < ordered.length; start += 20) {
          await untilTaken(() => each.receive(ordered.slice(start, start + 20)));
        }
      }),
    );
  }
  const events = await rows<{ statuses: string[] }>(
    'SELECT key, array_agg(reported_status ORDER BY seq) AS statuses FROM events WHERE key = ANY($1) GROUP BY key',
    [ids],
  );
  t.equal(events.length, ids.length);
  for (const event of events) t.strictSame(event.statuses, walk);
  const payments = await rows('SELECT status, version FROM payments WHERE id = ANY($1)', [ids]);
  t.strictSame(payments, Array(ids.length).fill({ status: 'chargebacked', version: 3 }));
});

t.test('two actors with different messages of one new payment at once: nothing is overwritten', async (t) => {
  const actors = await Promise.all([openActor(url), openActor(url)]);
  t.teardown(() => Promise.all(actors.map((each) => each.close())));
  const ids = Array.from({ length: 100 }, newId);
  for (let start = 0; start < ids.length; start += 10) {
    await Promise.all(
      actors.map((each, n) => {
        const status = n === 0 ? 'approved' : 'chargebacked';
        const messages = ids
          .slice(start, start + 10)
          .map((id) => messageOf(`unique_id=${id}&status=${status}`));
        return untilTaken(() => each.receive(messages));
      }),
    );
  }
  const payments = await rows<{ status: string; told: string[]; applied: string[] }>(
    `SELECT p.status, jsonb_path_query_array(p.history, '$[*].status') AS told,
       (SELECT array_agg(e.reported_status ORDER BY e.seq) FROM events e
        WHERE e.key = p.id AND e.status = 'applied') AS applied
     FROM payments p WHERE p.id = ANY($1)`,
    [ids],
  );
  t.equal(payments.length, ids.length);
  for (const { status, told, applied } of payments) {
    t.equal(status, 'chargebacked');
    t.strictSame(told, applied, 'the history is what was applied, in its order');
  }
  t.equal((await eventsOf(...ids)).length, 2 * ids.length);
});

/** As the runtime does: a conflict is tried again. */
async function untilTaken(attempt: () => Promise<void>): Promise<void> {
  for (let attempts = 0; ; attempts++) {
    try {
      await attempt();
      return;
    } catch (error) {
      const conflict = error instanceof Error && 'code' in error && error.code === 'TETHER_POSTGRES_CONFLICT';
      if (!conflict || attempts === 20) throw error;
    }
  }
}
