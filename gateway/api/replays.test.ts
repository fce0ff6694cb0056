/** Replays over the API, on a real Postgres, with what each scope may do. What the actor does, `actors/replay/actor.test.ts` shows. */
import t from 'tap';
import { EventReplays } from '../../actors/replay/index.js';
import { writeEvents } from '../../actors/replay/test/system.js';
import { silentLogger } from '../../runtime/logger.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import { createReminderStore } from '../../storage/postgres/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { effectiveScopes } from '../auth/client.js';
import { startTestGateway } from '../test/start.js';
import { replayRoutes } from './replays.js';

const { pool } = await startTestPostgres(t);
const AT = 1_700_000_000_000;
await writeEvents(pool, { count: 50, keys: 5, from: AT });
await writeEvents(pool, {
  count: 10,
  keys: 2,
  from: AT + 100,
  endpoint: 'emp',
  status: 'applied',
  meta: false,
});

const ids = new MessageIdSource();
const told: string[] = [];
const changes: { client: string; action: string; target: string; before: unknown; after: unknown }[] = [];
const { ask } = await startTestGateway(t, {
  operations: {
    token: 'operators-only',
    version: '1.0.0',
    authenticator: {
      authenticate: async (header) =>
        header === 'Bearer looks' ? { name: 'anna', scopes: effectiveScopes(['read']) } : undefined,
    },
    audit: { record: async (entry) => void changes.push(entry) },
    routes: replayRoutes({
      replays: new EventReplays({
        pool,
        reminders: createReminderStore(pool),
        tell: async (id, { type }) => void told.push(`${type} ${id}`),
        newId: () => ids.next(Date.now()),
        now: Date.now,
        logger: silentLogger,
      }),
      poolMode: (actor) => (actor === 'ledger' ? 'paused' : undefined),
    }),
  },
});

async function api(method: string, path: string, body?: unknown, as = 'operators-only') {
  const headers = [`Authorization: Bearer ${as}`, 'Content-Type: application/json'];
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await ask({ method, path, headers, ...sent });
  return { ...response, json: JSON.parse(response.body) };
}

t.test('a preview says what would happen, and does nothing', async (t) => {
  const preview = (body: object, as?: string) => api('POST', '/api/replays/preview', body, as);
  t.match(await preview({ select: { filter: {} } }, 'looks'), {
    status: 200,
    json: {
      total: 60,
      atLeast: false,
      leftOut: { payment: 10, delayed: 0 },
      endpoints: [
        { endpoint: 'shop', events: 50, oldest: AT, latest: AT + 49 },
        { endpoint: 'emp', events: 10 },
      ],
      effect: /^50 events are told to the actors of their routes.*no second one/,
      warnings: [{ code: 'payment', detail: /^10 events of EMP are left out/ }],
    },
  });
  t.match(await preview({ select: { filter: { endpoint: 'emp' } }, to: 'ledger', forced: true }), {
    json: {
      total: 10,
      leftOut: { payment: 0 },
      effect: /^10 events are told to ledger.*second time/,
      warnings: [{ code: 'forced' }, { code: 'pool-not-running', detail: /is paused/ }],
    },
  });
  t.match(await preview({ select: { filter: { key: 'emp:k1' } }, to: 'nobody' }), {
    json: { total: 5, warnings: [{ code: 'pool-not-running', detail: /no pool of nobody/ }] },
  });
  t.match(await preview({ select: { filter: { from: '2026-01-01', key: 'k1' } } }), {
    json: { total: 0, warnings: [{ code: 'none' }] },
  });
  t.strictSame((await pool.query('SELECT 1 FROM replays')).rows, []);
  t.strictSame(changes, []);
});

t.test('what is no request, and what is refused', async (t) => {
  const wrong = [
    {},
    { select: {} },
    { select: { ids: [] } },
    { select: { ids: ['x'] } },
    { select: { filter: {}, ids: [ids.next(0)] } },
    { select: { filter: { endpont: 'shop' } } },
    { select: { filter: {} }, rate: 0 },
    { select: { filter: {} }, rate: 1e6 },
    { select: { filter: {} }, forced: 'yes' },
  ];
  for (const body of wrong) {
    t.match(await api('POST', '/api/replays', body), { status: 400 }, JSON.stringify(body));
  }
  for (const forced of [true, false]) {
    t.match(await api('POST', '/api/replays', { select: { filter: {} }, to: 'payment', forced }), {
      status: 422,
      json: {
        type: 'urn:tether:problem:replay-not-allowed',
        detail: forced ? /cannot be forced/ : /had every event/,
      },
    });
  }
  t.equal((await api('POST', '/api/replays', { select: { filter: {} } }, 'looks')).status, 403);
  t.strictSame((await pool.query('SELECT 1 FROM replays')).rows, []);
});

t.test('made, looked at, commanded; each change in the audit log', async (t) => {
  const made = await api('POST', '/api/replays', { select: { filter: { key: 'shop:k1' } }, rate: 10 });
  t.match(made, {
    status: 201,
    json: {
      state: 'waiting',
      select: { filter: { endpoint: 'shop', key: 'k1', to: Number } },
      to: null,
      forced: false,
      rate: 10,
      total: 10,
      seen: 0,
      secondsLeft: 1,
      createdBy: 'operator',
      startedAt: null,
    },
  });
  const { id } = made.json;
  t.strictSame(told, [`go ${id}`]);
  t.equal(
    (await pool.query(`SELECT 1 FROM reminders WHERE actor = 'replay' AND key = $1`, [id])).rowCount,
    1,
  );

  const { rows } = await pool.query<{ id: string }>('SELECT id FROM events ORDER BY id LIMIT 3');
  const other = await api('POST', '/api/replays', {
    select: { ids: rows.map((row) => row.id) },
    to: 'forward:crm',
    forced: true,
  });
  t.match(other.json, { total: 3, to: 'forward:crm', forced: true, rate: 500 });
  const list = async (query: string) =>
    (await api('GET', `/api/replays${query}`, undefined, 'looks')).json.replays.map(
      (one: { id: string }) => one.id,
    );
  t.strictSame(await list(''), [other.json.id, id]);
  const page = await api('GET', '/api/replays?limit=1');
  t.strictSame(await list(`?limit=1&cursor=${page.json.next}`), [id]);
  t.strictSame(await list('?state=paused'), []);

  for (const [command, state] of [
    ['pause', 'paused'],
    ['resume', 'waiting'],
    ['resume', 'waiting'],
    ['cancel', 'cancelled'],
  ]) {
    t.equal((await api('POST', `/api/replays/${id}/${command}`, undefined, 'looks')).status, 403);
    t.match(await api('POST', `/api/replays/${id}/${command}`), { status: 200, json: { id, state } });
  }
  t.match(await api('POST', `/api/replays/${id}/resume`), {
    status: 409,
    json: { type: 'urn:tether:problem:replay-state', detail: 'a replay that is cancelled cannot be resumed' },
  });
  t.match(await api('GET', `/api/replays/${id}`), {
    json: { state: 'cancelled', secondsLeft: null, endedAt: Number },
  });
  t.equal((await api('GET', `/api/replays/${ids.next(0)}`)).status, 404);
  t.equal((await api('POST', '/api/replays/x/cancel')).status, 404);
  t.match(
    changes.map(({ client, action, target, after }) => [client, action, target, after]),
    [
      [
        'operator',
        'replay.create',
        id,
        { select: { key: 'shop:k1' }, total: 10, rate: 10, forced: false, to: null },
      ],
      ['operator', 'replay.create', other.json.id, { select: '3 ids', forced: true }],
      ['operator', 'replay.pause', id, { state: 'paused' }],
      ['operator', 'replay.resume', id, { state: 'waiting' }],
      ['operator', 'replay.resume', id, { state: 'waiting' }],
      ['operator', 'replay.cancel', id, { state: 'cancelled' }],
    ],
  );
});

t.test('how far it is', async (t) => {
  const { json } = await api('POST', '/api/replays', { select: { filter: { endpoint: 'shop' } }, rate: 100 });
  await pool.query(
    `UPDATE replays SET state = 'running', told = 20, deliveries = 40, left_out = '{"unrouted": 5}', worked_ms = 5000 WHERE id = $1`,
    [json.id],
  );
  t.match(await api('GET', `/api/replays/${json.id}`), {
    json: {
      seen: 25,
      told: 20,
      deliveries: 40,
      leftOut: { unrouted: 5 },
      total: 50,
      perSecond: 5,
      secondsLeft: 5,
    },
  });
});
