/**
 * Webhooks through a real system, while connections to Postgres are cut at random: each has one event and one effect at the actors of its routes, in
 * the order of its key. `SEED` repeats what is sent and when it is cut. The actor `ledger` is that of `docs/how-to/webhook-actor.md`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { ActorSystem } from '../../runtime/actor-system.js';
import { encodeEnvelope } from '../../runtime/envelope.js';
import { silentLogger } from '../../runtime/logger.js';
import { partitionOf } from '../../runtime/partition.js';
import type { DeadLetter } from '../../runtime/stores/dead-letter.js';
import { MemoryLog } from '../../runtime/testing/memory-log.js';
import { until } from '../../runtime/testing/until.js';
import { createReminderStore } from '../../storage/postgres/reminders.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import type { WebhookSettings } from './settings.js';
import { messageOf, type TestWebhook } from './test/harness.js';
import { WITNESSED } from './test/witness.js';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
t.setTimeout(60_000);

const PAGE = readFileSync('docs/how-to/webhook-actor.md', 'utf8');
const block = (language: string) => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(PAGE)?.[1] ?? '';

/** xorshift32 */
function randomBelow(seed: number): (end: number) => number {
  let state = seed | 1;
  return (end) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % end;
  };
}

const { url, pool } = await startTestPostgres(t);
await pool.query(`${WITNESSED}; ${block('sql')}`);

async function start(
  t: Test,
  endpoints: NonNullable<WebhookSettings['endpoints']>,
  more: Partial<WebhookSettings> = {},
) {
  const log = new MemoryLog(8);
  const dead: DeadLetter[] = [];
  const module = join(t.testdir({ 'ledger.js': block('js') }), 'ledger.js');
  const settings = { databaseUrl: url };
  const system = await ActorSystem.start({
    log,
    deadLetters: {
      put: async (letters) => {
        dead.push(...letters);
      },
    },
    reminders: createReminderStore(pool),
    actors: [
      {
        module: new URL('./actor.js', import.meta.url),
        settings: { ...settings, ...more, idempotencyEntriesMax: 50, endpoints },
      },
      { module: new URL('./test/witness.js', import.meta.url), settings },
      { module: pathToFileURL(module), settings },
    ],
    retry: { attemptsMax: 5, delayMs: 20, delayMsMax: 100 },
    logger: silentLogger,
    logLevel: 'error',
  });
  t.teardown(() => system.drain(5_000));
  const send = (webhook: TestWebhook) => {
    const message = messageOf(webhook);
    const partition = log.open('webhook')[partitionOf(message.key, log.partitions)];
    return new Promise<number>((appended, appendFailed) => {
      partition?.append(encodeEnvelope({ ...message, actor: 'webhook' }), { appended, appendFailed });
    });
  };
  return { log, dead, system, send };
}

t.test('one event and one effect for each, in order, though connections are cut', async (t) => {
  t.comment(`SEED=${seed}`);
  const below = randomBelow(seed);
  const { log, dead, send } = await start(t, {
    shop: {
      routes: [
        { when: "type == 'invoice.paid'", to: ['ledger', 'witness'] },
        { when: 'body.amount >= 90', to: 'witness' },
      ],
    },
  });
  const sent = Array.from({ length: 125 }, (_, n) => ({
    key: `cus_${below(7)}`,
    id: `evt_${String(n).padStart(4, '0')}`,
    type: below(2) === 0 ? 'invoice.paid' : 'invoice.sent',
    body: { amount: below(100) },
  }));
  // At the very end of a transaction: what it has told is on the log. A sequence goes on, so that the next try may pass.
  await pool.query(`
    CREATE SEQUENCE cuts;
    CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('cuts') % ${40 + below(20)} = 0 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        RETURN NULL;
      END $$;
    CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()`);
  t.teardown(() => pool.query('DROP TRIGGER cut ON events'));
  for (const webhook of sent) {
    await send(webhook);
    // Senders repeat, soon or late.
    if (below(4) === 0) await send(webhook);
    if (below(10) === 0) await send(sent[below(Number(webhook.id.slice(4)) + 1)] ?? webhook);
    // As many rows at once as there is a fair chance for that none is cut.
    if (Number(webhook.id.slice(4)) % 25 === 24) await until('those are done', () => log.lag() === 0, 30_000);
  }
  await until('all is done', () => log.lag() === 0, 30_000);
  t.strictSame(dead, []);
  const { rows: cuts } = await pool.query<{ n: number }>('SELECT last_value::int AS n FROM cuts');
  t.ok((cuts[0]?.n ?? 0) > sent.length, 'some were cut');

  const { rows: events } = await pool.query<{ id: string; key: string; status: string }>(
    `SELECT dedupe AS id, key, status FROM events WHERE endpoint = 'shop' ORDER BY seq`,
  );
  const isTaken = ({ type, body }: (typeof sent)[number]) => type === 'invoice.paid' || body.amount >= 90;
  const { rows: seen } = await pool.query<{ id: string; key: string }>(
    'SELECT id, key FROM witnessed ORDER BY seq',
  );
  for (const key of new Set(sent.map(({ key }) => key))) {
    const own = sent.filter((webhook) => webhook.key === key);
    t.strictSame(
      events.filter((event) => event.key === key).map(({ id, status }) => [id, status]),
      own.map((webhook) => [webhook.id, isTaken(webhook) ? 'routed' : 'unrouted']),
    );
    t.strictSame(
      seen.filter((each) => each.key === `shop:${key}`).map(({ id }) => id),
      own.filter(isTaken).map(({ id }) => id),
    );
    const paid = own
      .filter(({ type }) => type === 'invoice.paid')
      .reduce((sum, { body }) => sum + body.amount, 0);
    const { rows } = await pool.query<{ paid: string }>('SELECT paid FROM ledger WHERE customer = $1', [key]);
    t.equal(Number(rows[0]?.paid), paid);
  }
});

t.test('a delay: later, once, in order', async (t) => {
  const { log, dead, send } = await start(t, { late: { actor: 'witness', delaySeconds: 1 } });
  const begun = Date.now();
  for (let n = 0; n < 20; n++) await send({ endpoint: 'late', key: 'k', id: `late_${10 + n}` });
  const seen = async () =>
    (
      await pool.query<{ id: string; at: Date }>(
        `SELECT id, at FROM witnessed WHERE key = 'late:k' ORDER BY seq`,
      )
    ).rows;
  await until('all have come', async () => (await seen()).length === 20, 20_000);
  t.strictSame(
    (await seen()).map(({ id }) => id),
    Array.from({ length: 20 }, (_, n) => `late_${10 + n}`),
  );
  for (const { at } of await seen()) t.ok(at.getTime() - begun >= 1_000);
  await until('and are done', () => log.lag() === 0);
  t.strictSame(dead, []);
  const { rows } = await pool.query(`SELECT DISTINCT status FROM events WHERE endpoint = 'late'`);
  t.strictSame(rows, [{ status: 'routed' }]);
});

t.test('a route to nobody, and an endpoint that is not there: dead letters that say so', async (t) => {
  const { log, dead, send } = await start(
    t,
    { shop: { routes: [{ when: "type == 'x'", to: 'nobody' }, { to: 'witness' }] } },
    { unknownMsMax: 300 },
  );
  await send({ id: 'good', key: 'g' });
  await send({ id: 'bad', key: 'b', type: 'x' });
  await send({ id: 'bad-2', key: 'b', endpoint: 'gone' });
  await until('all are done', () => log.lag() === 0, 20_000);
  t.strictSame(dead.map(({ cause }) => cause.code).sort(), [
    'TETHER_ACTOR_UNKNOWN',
    'TETHER_WEBHOOK_ENDPOINT',
  ]);
  t.match(dead.find(({ cause }) => cause.code === 'TETHER_ACTOR_UNKNOWN')?.cause.message, /nobody/);
  const { rows } = await pool.query(`SELECT id FROM witnessed WHERE id IN ('good', 'bad', 'bad-2')`);
  t.strictSame(rows, [{ id: 'good' }]);
});

t.test(
  'messages of a new endpoint wait until it is known here, in order, and hold up nobody else',
  async (t) => {
    const shop = { routes: [{ to: 'witness' }] };
    const { log, dead, send, system } = await start(t, { shop });
    const ids = ['soon-1', 'soon-2', 'soon-3'];
    for (const id of ids) {
      await send({ endpoint: 'soon', key: 'k', id });
      await send({ key: 'others', id: `beside-${id}` });
    }
    const seen = async (prefix: string) => {
      const { rows } = await pool.query<{ id: string }>(
        'SELECT id FROM witnessed WHERE id LIKE $1 ORDER BY seq',
        [`${prefix}%`],
      );
      return rows.map(({ id }) => id);
    };
    await until('the others are done', async () => (await seen('beside')).length === ids.length);
    t.strictSame(await seen('soon'), []);
    await system.changeSettings('webhook', {
      databaseUrl: url,
      idempotencyEntriesMax: 50,
      endpoints: { shop, soon: shop },
    });
    await until('it is known, and all are done', () => log.lag() === 0);
    t.strictSame(await seen('soon'), ids);
    t.strictSame(dead, []);
  },
);
