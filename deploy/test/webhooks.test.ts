/**
 * Webhooks of six senders through a real node, each signed by its sender's own library: to an actor of a user's and to a receiver that
 * verifies what is forwarded to it, by routes; with EMP beside them (P1 to P4).
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import t from 'tap';
import { SECRET as FORWARD_SECRET, openReceiver } from '../../actors/forward/test/receiver.js';
import { until } from '../../runtime/testing/until.js';
import { embeddedPostgresUrl } from '../../storage/postgres/index.js';
import { copyTestData } from '../../storage/postgres/test-data.js';
import { freePort } from '../../storage/test-free-port.js';
import { postgresDir } from '../data-dir.js';
import { lagOf, metricOf } from './node-metrics-text.js';
import { isAlive, startNodeProcess } from './node-process.js';
import {
  EFFECTS_MODULE,
  entryOf,
  forged,
  githubEvent,
  gocardlessEvents,
  ownEvent,
  partnerEvent,
  post,
  SECRETS,
  type Signed,
  slackRequest,
  stripeEvent,
  TOKEN,
} from './webhook-senders.js';

t.setTimeout(60_000);

const API_TOKEN = 'a-token-of-some-length';
const API = { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' };
const EMP_PASSWORD = 'emp-password-made-up';

const receiver = await openReceiver(t);
const other = await openReceiver(t);
const dir = t.testdir({ actors: { 'effects.js': EFFECTS_MODULE } });
const home = mkdtempSync(join(tmpdir(), 'tether-webhooks-'));
const file = join(home, 'endpoints.yaml');

function configure(erp: string): void {
  const routes = [
    { when: "type == 'invoice.paid' && body.data.object.amount >= 100", to: ['effects', 'forward:erp'] },
    { when: "type.startsWith('invoice.')", to: 'effects' },
  ];
  const endpoints = [
    entryOf('stripe', { routes }),
    entryOf('github', {
      options: { keepHeaders: ['x-github-delivery'] },
      routes: [{ when: "headers['x-github-delivery'].endsWith('-out')", to: 'forward:erp', continue: true }],
      actor: 'effects',
    }),
    entryOf('partner', { actor: 'effects' }),
    entryOf('own', { routes: [{ to: ['forward:erp', 'effects'] }] }),
    entryOf('slack', { actor: 'effects' }),
    entryOf('gocardless', { actor: 'effects' }),
    { name: 'emp', provider: 'emp', token: TOKEN, secrets: [EMP_PASSWORD] },
  ];
  const target = {
    name: 'erp',
    url: erp,
    secrets: ['env:ERP_SECRET'],
    headers: { authorization: 'env:ERP_TOKEN' },
    allowPrivate: ['127.0.0.0/8'],
    retry: { delaySeconds: 1, delaySecondsMax: 1 },
  };
  writeFileSync(file, JSON.stringify({ endpoints, targets: [target] }));
}

configure(receiver.url);
await copyTestData(postgresDir(home));
const node = startNodeProcess({
  port: await freePort(),
  dataDir: home,
  env: {
    TETHER_API_TOKEN: API_TOKEN,
    TETHER_ENDPOINTS: file,
    TETHER_ACTORS: join(dir, 'actors', '*.js'),
    TETHER_THREADS: '1',
    ERP_SECRET: FORWARD_SECRET,
    ERP_TOKEN: 'Bearer erp-token-made-up',
  },
});
t.teardown(async () => {
  if (isAlive(node.pid)) await node.killTree((pids) => pids);
  rmSync(home, { recursive: true, force: true });
});
await node.ready;
const pool = new Pool({ connectionString: (await embeddedPostgresUrl(postgresDir(home))) ?? '', max: 2 });
pool.on('error', () => {});
t.teardown(() => pool.end());
await until(
  'its actors are there',
  async () => {
    const { rows } = await pool.query(
      `SELECT to_regclass('effects') AS there, to_regclass('forwards') AS too`,
    );
    return rows[0].there !== null && rows[0].too !== null;
  },
  30_000,
);

const rows = async <Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> =>
  (await pool.query(sql, [...values])).rows as Row[];
const effects = (key: string) =>
  rows<{ dedupe: string; kind: string; body: string }>(
    'SELECT dedupe, kind, body FROM effects WHERE key = $1 ORDER BY seq',
    [key],
  );
const quiet = () => until('nothing is left to do', async () => (await lagOf(node.url)) === 0, 20_000);
const api = async (method: string, path: string, body?: object) => {
  const init = { method, headers: API, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const answer = await fetch(`${node.url}${path}`, init);
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
};

t.test('each sender: acknowledged, kept once, and at the actor of its route', async (t) => {
  const large = { commits: Array.from({ length: 3_000 }, (_, n) => ({ id: n, message: 'x'.repeat(90) })) };
  const sent: [Signed, string, string][] = [
    [stripeEvent('evt_1', 'cus_1', { amount: 500 }), 'stripe:cus_1', 'invoice.paid'],
    [await githubEvent('d-1', 'a/b'), 'github:a/b', 'push'],
    [await githubEvent('d-large', 'a/large', large), 'github:a/large', 'push'],
    [partnerEvent('msg_1', 'c_1'), 'partner:c_1', 'contact.created'],
    [ownEvent('own_1', 'acc_1'), 'own:acc_1', 'moved'],
    [
      slackRequest({ type: 'event_callback', event_id: 'Ev1', event: { type: 'message', channel: 'C1' } }),
      'slack:C1',
      'message',
    ],
  ];
  for (const [signed, key] of sent) {
    t.equal((await post(node.url, signed)).status, 200, key);
    t.equal((await post(node.url, signed)).status, 200, 'and a duplicate, as its sender repeats it');
  }
  await quiet();
  for (const [signed, key, kind] of sent) {
    const found = await effects(key);
    t.equal(found.length, 1, `${key}: one effect`);
    t.equal(found[0]?.kind, kind);
    t.ok(found[0]?.body === signed.body, 'the body as it came');
    const [endpoint, own] = key.split(/:(.*)/);
    const events = await rows('SELECT status FROM events WHERE endpoint = $1 AND key = $2', [endpoint, own]);
    t.strictSame(events, [{ status: 'routed' }], 'one event');
  }
});

t.test('several events of one request are a message each, with one effect, in order', async (t) => {
  const first = gocardlessEvents([
    ['EV1', 'PM1'],
    ['EV2', 'PM2'],
    ['EV3', 'PM1'],
  ]);
  const second = gocardlessEvents([
    ['EV3', 'PM1'],
    ['EV4', 'PM1'],
  ]);
  for (const one of [first, first, second]) t.equal((await post(node.url, one)).status, 200);
  await quiet();
  const ofPayment = await effects('gocardless:PM1');
  t.strictSame(
    ofPayment.map(({ dedupe, kind, body }) => [dedupe, kind, JSON.parse(body).id]),
    ['EV1', 'EV3', 'EV4'].map((id) => [`gocardless:${id}`, 'payments.paid_out', id]),
  );
  t.equal((await effects('gocardless:PM2')).length, 1);
  t.match(await rows(`SELECT count(*)::int AS n FROM events WHERE endpoint = 'gocardless'`), [{ n: 4 }]);
});

t.test('by the content to a receiver, which verifies it and gets it once', async (t) => {
  const small = stripeEvent('evt_small', 'cus_2', { amount: 99 });
  const paid = stripeEvent('evt_big', 'cus_2', { amount: 100 });
  const sent = stripeEvent('evt_sent', 'cus_2', { amount: 100 }, 'invoice.sent');
  const out = await githubEvent('d-2-out', 'a/c');
  for (const one of [small, paid, paid, sent, out, out]) t.equal((await post(node.url, one)).status, 200);
  await until(
    'both have arrived',
    () => receiver.taken.filter(({ body }) => [paid.body, out.body].includes(body)).length >= 2,
  );
  await quiet();
  const received = receiver.received
    .filter(({ headers }) => headers['tether-endpoint'] !== 'own')
    .map(({ body, headers }) => `${headers['tether-kind']} ${body}`);
  // Each is of another key: their order is anybody's.
  t.strictSame(
    received.sort(),
    [
      `invoice.paid ${stripeEvent('evt_1', 'cus_1', { amount: 500 }).body}`,
      `invoice.paid ${paid.body}`,
      `push ${out.body}`,
    ].sort(),
    'each once, and none that no route sends there',
  );
  t.ok(receiver.received.every(({ headers }) => headers.authorization === 'Bearer erp-token-made-up'));
  t.same(
    (await effects('stripe:cus_2')).map(({ dedupe }) => dedupe),
    ['stripe:evt_small', 'stripe:evt_big', 'stripe:evt_sent'],
  );
});

t.test('what is forged is refused, and nothing of it is on the log; a handshake neither', async (t) => {
  const appended = () => metricOf(node.url, 'tether_log_appended_total');
  const before = await appended();
  for (const signed of [
    stripeEvent('evt_f', 'cus_f'),
    await githubEvent('d-f', 'a/f'),
    partnerEvent('msg_f', 'c_f'),
    ownEvent('own_f', 'acc_f'),
    slackRequest({ type: 'event_callback', event_id: 'EvF', event: { type: 'message', channel: 'CF' } }),
    gocardlessEvents([['EVF', 'PMf']]),
  ]) {
    const answer = await post(node.url, forged(signed));
    t.equal(answer.status, 401, signed.endpoint);
    t.match(await answer.json(), { type: 'urn:tether:problem:wrong-signature' });
  }
  const handshake = slackRequest({ type: 'url_verification', challenge: 'a-challenge', token: 'x' });
  const answered = await post(node.url, handshake);
  t.strictSame([answered.status, await answered.text()], [200, 'a-challenge']);
  t.equal((await post(node.url, forged(handshake))).status, 401);
  t.equal(await appended(), before);
  t.strictSame(await rows(`SELECT 1 FROM events WHERE key ~ 'f$' OR key = 'CF'`), []);
});

t.test('of a key in order, at the actor and at the receiver, though it fails now and then', async (t) => {
  const keys = ['acc_a', 'acc_b', 'acc_c'];
  const ids = (key: string) => Array.from({ length: 8 }, (_, n) => `${key}_${n}`);
  const { answer } = receiver;
  let n = 0;
  receiver.answer = (one, response, times) => {
    if (n++ === 5) response.writeHead(503).end();
    else answer(one, response, times);
  };
  await Promise.all(
    keys.map(async (key) => {
      for (const id of ids(key)) t.equal((await post(node.url, ownEvent(id, key))).status, 200);
    }),
  );
  const arrived = (key: string) =>
    receiver.taken
      .map(({ body }) => JSON.parse(body))
      .filter(({ account }) => account === key)
      .map(({ id }) => id);
  await until('all have arrived', () => keys.every((key) => new Set(arrived(key)).size === 8), 20_000);
  receiver.answer = answer;
  await quiet();
  for (const key of keys) {
    t.strictSame(arrived(key), ids(key), `${key} at the receiver`);
    t.strictSame(
      (await effects(`own:${key}`)).map(({ dedupe }) => dedupe),
      ids(key).map((id) => `own:${id}`),
    );
  }
});

t.test('a target moves while it is sent to; an endpoint of the API forwards to it at once', async (t) => {
  const before = receiver.taken.length;
  const sent: string[] = [];
  let isDone = false;
  const load = (async () => {
    while (!isDone) {
      const id = `moving_${sent.length}`;
      t.equal((await post(node.url, ownEvent(id, `acc_${sent.length % 3}`))).status, 200);
      sent.push(id);
    }
  })();
  await until('the first gets them', () => receiver.taken.length > before + 3);
  configure(other.url);
  process.kill(node.pid, 'SIGHUP');
  await until('the other gets them', () => other.taken.length > 3);
  isDone = true;
  await load;
  const all = () => [...receiver.taken.slice(before), ...other.taken].map(({ body }) => JSON.parse(body).id);
  await until('each has arrived', () => new Set(all()).size === sent.length);
  t.equal(all().length, sent.length, 'and once');
  t.match(await api('GET', '/api/targets'), {
    status: 200,
    json: {
      waitingKnown: true,
      targets: [{ name: 'erp', known: true, origin: new URL(other.url).origin, waiting: null }],
    },
  });

  const settings = {
    provider: 'api-key',
    token: TOKEN,
    secrets: ['a-key-made-up'],
    routes: [{ to: 'forward:erp' }],
  };
  t.match(await api('PUT', '/api/endpoints/made', { ...settings, routes: [{ to: 'forward:erq' }] }), {
    status: 422,
    json: { detail: /target erq is not there; known: erp/ },
  });
  t.match(await api('PUT', '/api/endpoints/made', settings), { status: 200 });
  const id = randomUUID();
  const made = await fetch(`${node.url}/webhooks/made/${TOKEN}`, {
    method: 'POST',
    headers: { 'x-api-key': 'a-key-made-up' },
    body: id,
  });
  t.equal(made.status, 200);
  await until('it has arrived', () => other.taken.some(({ body }) => body === id));
});

t.test('EMP beside them is as ever, and no secret is in the log', async (t) => {
  const signature = createHash('sha1').update(`aa11${EMP_PASSWORD}`).digest('hex');
  const body = new URLSearchParams({
    unique_id: 'aa11',
    status: 'approved',
    amount: '4999',
    currency: 'EUR',
    signature,
  });
  const answer = await fetch(`${node.url}/webhooks/emp/${TOKEN}`, { method: 'POST', body });
  t.equal(answer.status, 200);
  t.match(await answer.text(), /<unique_id>aa11</);
  await quiet();
  t.match(await rows(`SELECT status FROM payments WHERE id = 'aa11'`), [{ status: 'approved' }]);
  t.match(await api('GET', '/api/dead-letters'), { json: { waiting: 0 } });
  const shown = [node.output(), JSON.stringify((await api('GET', '/api/endpoints')).json)];
  shown.push(JSON.stringify((await api('GET', '/api/targets')).json));
  const secrets = [
    ...Object.values(SECRETS),
    TOKEN,
    FORWARD_SECRET,
    'erp-token-made-up',
    EMP_PASSWORD,
    'a-key-made-up',
  ];
  for (const secret of secrets) for (const text of shown) t.notOk(text.includes(secret), 'no secret');
  t.equal(await node.stop('SIGINT'), 0);
});
