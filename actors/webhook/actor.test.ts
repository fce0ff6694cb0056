/** The webhook actor on a real Postgres: what it keeps, what it hands over, and what comes of it when either is refused. */
import { randomUUID } from 'node:crypto';
import { Packr } from 'msgpackr';
import t from 'tap';
import { LogFullError, UnknownActorError } from '../../runtime/errors.js';
import { PostgresUnavailableError } from '../../storage/postgres/errors.js';
import { raiseEpochs } from '../../storage/postgres/fence.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { PaymentEvents } from '../payment/events.js';
import { configure } from './actor.js';
import type { WebhookSettings } from './settings.js';
import { messageOf, openActor } from './test/harness.js';

const { url, pool } = await startTestPostgres(t);

const endpoints: WebhookSettings['endpoints'] = {
  shop: {
    routes: [
      { when: "type == 'both'", to: ['ledger', 'mail', 'ledger'] },
      { when: "type.startsWith('invoice.')", to: 'audit', continue: true },
      { when: "type == 'invoice.paid' && body.amount > 100", to: 'ledger' },
      { when: "type == 'out'", to: 'forward:erp' },
      { when: "type == 'lost'", to: 'nobody' },
    ],
  },
  simple: { actor: 'ledger' },
  kept: {},
  late: { actor: 'ledger', delaySeconds: 60 },
};
const settings = { endpoints };

async function eventsOf(endpoint: string): Promise<readonly Record<string, unknown>[]> {
  const { rows } = await pool.query(
    `SELECT kind, key, dedupe, status, meta, payload, received_at FROM events WHERE endpoint = $1 ORDER BY seq`,
    [endpoint],
  );
  return rows;
}

t.beforeEach(() => pool.query('TRUNCATE events'));

t.test('events are kept and go to the actors of the routes that take them', async (t) => {
  const actor = await openActor(t, url, { settings });
  const message = messageOf({
    type: 'invoice.paid',
    id: 'evt_1',
    key: 'cus_1',
    headers: { 'x-topic': 'a\0b' },
    body: { amount: 500 },
  });
  await actor.receive([
    message,
    messageOf({ type: 'invoice.paid', id: 'evt_2', body: { amount: 5 } }),
    messageOf({ type: 'both', id: 'evt_3' }),
    messageOf({ type: 'out', id: 'evt_4' }),
    messageOf({ type: 'other', id: 'evt_5' }),
    messageOf({ endpoint: 'simple', id: 'evt_1', key: 'cus_1' }),
    messageOf({ endpoint: 'kept', id: '', body: Buffer.from([0, 255]) }),
  ]);
  t.strictSame(
    (await eventsOf('shop')).map(({ kind, key, dedupe, status }) => [kind, key, dedupe, status]),
    [
      ['invoice.paid', 'cus_1', 'evt_1', 'routed'],
      ['invoice.paid', 'k', 'evt_2', 'routed'],
      ['both', 'k', 'evt_3', 'routed'],
      ['out', 'k', 'evt_4', 'routed'],
      ['other', 'k', 'evt_5', 'unrouted'],
    ],
  );
  const [first] = await eventsOf('shop');
  t.strictSame(first?.meta, {
    provider: 'stripe',
    contentType: 'application/json',
    id: 'evt_1',
    headers: { 'x-topic': 'a\u{fffd}b' },
  });
  t.strictSame(first?.payload, Buffer.from('{"amount":500}'));
  t.match(await eventsOf('kept'), [
    { status: 'unrouted', payload: Buffer.from([0, 255]), dedupe: /^sha256:/ },
  ]);
  t.strictSame(
    actor.told.map(({ actor, key, dedupe }) => `${actor} ${key} ${dedupe}`).sort(),
    [
      'audit shop:cus_1 shop:evt_1',
      'audit shop:k shop:evt_2',
      'forward erp:shop:k erp:shop:evt_4',
      'ledger shop:cus_1 shop:evt_1',
      'ledger shop:k shop:evt_3',
      'ledger simple:cus_1 simple:evt_1',
      'mail shop:k shop:evt_3',
    ],
    'each once, with keys that no other event has',
  );
  t.strictSame(
    actor.told.find(({ dedupe, actor }) => dedupe === 'shop:evt_1' && actor === 'ledger')?.delivery,
    {
      type: 'webhook',
      endpoint: 'shop',
      provider: 'stripe',
      kind: 'invoice.paid',
      key: 'cus_1',
      id: 'evt_1',
      receivedAt: message.receivedAt,
      contentType: 'application/json',
      headers: { 'x-topic': 'a\0b' },
      body: Buffer.from('{"amount":500}'),
    },
  );
  t.equal(actor.told.find(({ actor }) => actor === 'forward')?.delivery.target, 'erp');
});

t.test('what is known is left out: in a batch, of the memory, of the table', async (t) => {
  const actor = await openActor(t, url, { settings });
  const batch = ['a', 'a', 'b'].map((id) => messageOf({ endpoint: 'simple', id }));
  await actor.receive(batch);
  await actor.receive(batch);
  actor.resources.recent.clear();
  await actor.receive([...batch, messageOf({ endpoint: 'simple', id: 'c' })]);
  const other = await openActor(t, url, { settings });
  await other.receive(batch);
  t.equal((await eventsOf('simple')).length, 3);
  t.strictSame(
    [...actor.told, ...other.told].map(({ dedupe }) => dedupe),
    ['simple:a', 'simple:b', 'simple:c'],
  );
});

t.test('of one key, the next goes when the one before is on the log', async (t) => {
  const under = new Map<string, number>();
  let most = 0;
  const actor = await openActor(t, url, {
    settings,
    async onTell({ key }) {
      const now = (under.get(key) ?? 0) + 1;
      under.set(key, now);
      most = Math.max(most, now, 0);
      await new Promise(setImmediate);
      under.set(key, now - 1);
    },
  });
  const batch = Array.from({ length: 300 }, (_, n) =>
    messageOf({ endpoint: 'simple', id: String(n), key: `key-${(n * 7) % 30}` }),
  );
  await actor.receive(batch);
  t.equal(most, 1);
  for (let key = 0; key < 30; key++) {
    const ids = actor.told
      .filter((told) => told.key === `simple:key-${key}`)
      .map(({ delivery }) => Number(delivery.id));
    t.strictSame(
      ids,
      [...ids].sort((a, b) => a - b),
    );
  }
});

t.test('a commit that is lost, before or after it: one event, and deliveries of one key', async (t) => {
  for (const [step, happened] of [
    ['before', false],
    ['after', true],
  ] as const) {
    let lost = 0;
    const actor = await openActor(t, url, {
      settings,
      async intercept(sql, run) {
        if (sql !== 'COMMIT' || lost++ > 0) return run();
        if (happened) await run();
        throw new PostgresUnavailableError(`lost ${step} the commit`);
      },
    });
    const batch = [messageOf({ endpoint: 'simple', id: step })];
    await t.rejects(actor.receive(batch), { code: 'TETHER_POSTGRES_UNAVAILABLE' });
    await actor.receive(batch);
    t.match(await eventsOf('simple').then((all) => all.filter(({ dedupe }) => dedupe === step)), [
      { status: 'routed' },
    ]);
    t.strictSame(
      actor.told.map(({ dedupe }) => dedupe),
      happened ? [`simple:${step}`] : [`simple:${step}`, `simple:${step}`],
    );
  }
});

t.test('a log that takes no deliveries is waited for; nothing is kept without them', async (t) => {
  let full = true;
  const actor = await openActor(t, url, {
    settings,
    onTell({ delivery }) {
      if (full && delivery.id === 'b') throw new LogFullError('the journal is full');
    },
  });
  const batch = ['a', 'b', 'c'].map((id) => messageOf({ endpoint: 'simple', id }));
  await t.rejects(actor.receive(batch), { code: 'TETHER_WEBHOOK_HANDOVER', outage: true });
  t.strictSame(await eventsOf('simple'), []);
  t.strictSame(
    actor.told.map(({ delivery }) => delivery.id),
    ['a'],
    'none overtakes the one that was refused',
  );
  full = false;
  await actor.receive(batch);
  t.equal((await eventsOf('simple')).length, 3);
  t.strictSame(
    actor.told.map(({ delivery }) => delivery.id),
    ['a', 'a', 'b', 'c'],
  );
});

t.test('what cannot be handled is an error that says why, and leaves nothing', async (t) => {
  const actor = await openActor(t, url, {
    settings,
    onTell({ actor }) {
      if (actor === 'nobody') throw new UnknownActorError('no actor nobody is registered');
    },
  });
  const packr = new Packr({ useRecords: false });
  const good = messageOf({ endpoint: 'simple' });
  const bad = { code: 'TETHER_WEBHOOK_MESSAGE', retryable: false };
  const cases = [
    [{ ...messageOf({ endpoint: 'simple' }), payload: Buffer.from('id=1') }, bad],
    [
      {
        ...messageOf({ endpoint: 'simple' }),
        payload: packr.pack([2, '', '', '', '', '', {}, Buffer.alloc(0)]),
      },
      bad,
    ],
    [{ ...messageOf({ endpoint: 'simple' }), payload: packr.pack(['due', 1]) }, bad],
    [{ ...messageOf({ endpoint: 'simple' }), key: 'nothing' }, bad],
    [{ ...messageOf({ endpoint: 'simple' }), key: 'shop:k' }, bad],
    [{ ...messageOf({ endpoint: 'simple' }), dedupe: 'x'.repeat(1_001) }, bad],
    [{ ...messageOf({ endpoint: 'simple' }), key: 'simple:a\0b' }, bad],
    [messageOf({ endpoint: 'gone' }), { code: 'TETHER_WEBHOOK_ENDPOINT_PENDING', pending: true }],
    [messageOf({ type: 'lost' }), { code: 'TETHER_ACTOR_UNKNOWN', retryable: false }],
  ] as const;
  for (const [message, error] of cases) await t.rejects(actor.receive([good, message]), error);
  t.equal((await pool.query('SELECT FROM events')).rowCount, 0);
});

t.test('a delayed webhook waits for its reminder, and goes once', async (t) => {
  const actor = await openActor(t, url, { settings });
  const batch = ['a', 'b'].map((id) => messageOf({ endpoint: 'late', id, key: 'one', headers: { h: '1' } }));
  await actor.receive(batch);
  t.match(await eventsOf('late'), [{ status: 'delayed' }, { status: 'delayed' }]);
  t.strictSame(actor.told, []);
  t.match(actor.reminders, [
    { key: 'late:one', afterMs: 60_000, body: ['due', 'a'] },
    { key: 'late:one', afterMs: 60_000, body: ['due', 'b'] },
  ]);
  const names = actor.reminders.map(({ name }) => name);
  t.strictSame([...new Set(names)].sort(), names, 'names count up');

  const due = (dedupe: string) => ({
    ...messageOf({ endpoint: 'late', key: 'one' }),
    id: randomUUID(),
    dedupe: `reminder:${randomUUID()}`,
    payload: new Packr().pack(['due', dedupe]),
  });
  await actor.receive([due('a'), due('a'), due('never'), messageOf({ endpoint: 'late', id: 'c' })]);
  await actor.receive([due('a'), due('b')]);
  t.strictSame(
    actor.told.map(({ actor, key, dedupe, delivery }) => [actor, key, dedupe, delivery.headers]),
    [
      ['ledger', 'late:one', 'late:a', { h: '1' }],
      ['ledger', 'late:one', 'late:b', { h: '1' }],
    ],
  );
  t.match(
    (await eventsOf('late')).map(({ dedupe, status }) => [dedupe, status]),
    [
      ['a', 'routed'],
      ['b', 'routed'],
      ['c', 'delayed'],
    ],
  );
});

t.test('a node that lost its partition tells nobody anything', async (t) => {
  const log = randomUUID();
  await raiseEpochs(pool, log, 'webhook', [{ partition: 1, epoch: 2 }]);
  const actor = await openActor(t, url, { settings: { ...settings, fencedBy: log } });
  const batch = [messageOf({ endpoint: 'simple' })];
  await t.rejects(actor.receive(batch, [{ partition: 1, epoch: 1 }]), { code: 'TETHER_FENCED' });
  t.strictSame(actor.told, []);
  t.strictSame(await eventsOf('simple'), []);
  await actor.receive(batch, [{ partition: 1, epoch: 2 }]);
  t.equal(actor.told.length, 1);
});

t.test('settings change between two batches, and stay when the new ones are wrong', async (t) => {
  const actor = await openActor(t, url, { settings });
  const base = { databaseUrl: url, idempotencyEntriesMax: 10 };
  configure(actor.resources, { ...base, endpoints: { fresh: { routes: [{ to: 'ledger' }] } } });
  await actor.receive([messageOf({ endpoint: 'fresh' })]);
  t.equal(actor.told.length, 1);
  for (const route of [
    { when: 'typ == 1', to: 'a' },
    { to: [] },
    { to: 'webhook' },
    { to: 'forward:' },
    { to: 'A b' },
    { to: 'a', other: 1 },
  ]) {
    t.throws(() => configure(actor.resources, { ...base, endpoints: { fresh: { routes: [route] } } }), {
      message: /endpoints\.fresh\.routes\.0/,
    });
  }
  await actor.receive([messageOf({ endpoint: 'fresh' })]);
  t.equal(actor.told.length, 2);
});

t.test('they are found as other events are', async (t) => {
  const actor = await openActor(t, url, { settings });
  await actor.receive([
    messageOf({ endpoint: 'simple', id: 'evt_10', key: 'cus_1', type: 'a.b' }),
    messageOf({ endpoint: 'simple', id: 'evt_11', key: 'evt_11', type: 'c' }),
    messageOf({ endpoint: 'kept', id: '', key: 'cus_1', type: '' }),
  ]);
  const events = new PaymentEvents(pool);
  for (const [filter, found] of [
    [{ key: 'cus_1' }, 2],
    [{ key: 'evt_11' }, 1],
    [{ key: 'cus_1', endpoint: 'simple' }, 1],
    [{ dedupe: 'evt_1' }, 2],
    [{ dedupe: 'sha256:' }, 1],
    [{ kind: 'a.b' }, 1],
    [{ status: 'unrouted' }, 1],
    [{ status: 'routed', kind: 'c' }, 1],
  ] as const) {
    t.equal((await events.find({ ...filter, limit: 10 })).events.length, found, JSON.stringify(filter));
  }
});
