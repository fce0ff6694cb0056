/** Events, uploads and dead letters in bulk over the API, on a real Postgres, with what each scope may see. */
import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import t from 'tap';
import { archive } from '../../actors/archive/archiver.js';
import { type EventWithPayload, Payloads } from '../../actors/archive/payloads.js';
import { PaymentEvents } from '../../actors/payment/events.js';
import { messageOf, openActor } from '../../actors/payment/test/harness.js';
import { Uploads } from '../../actors/upload/uploads.js';
import { systemClock } from '../../runtime/clock.js';
import { silentLogger } from '../../runtime/logger.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import { Replays } from '../../runtime/replay-many.js';
import { MemoryLog } from '../../runtime/testing/memory-log.js';
import { letter } from '../../storage/dead-letter-contract.js';
import { FolderObjectStore } from '../../storage/objects/folder/folder-store.js';
import { createDeadLetterStore } from '../../storage/postgres/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { effectiveScopes } from '../auth/client.js';
import { startTestGateway } from '../test/start.js';
import { deadLetterRoutes } from './dead-letters.js';
import { deadLetterBulkRoutes } from './dead-letters-bulk.js';
import { eventRoutes } from './events.js';
import { uploadListRoutes } from './uploads.js';

const { pool, url } = await startTestPostgres(t);
const deadLetters = createDeadLetterStore(pool);
const uploads = new Uploads(pool);
const directory = t.testdir();
const objects = new FolderObjectStore(directory);
await objects.prepare();
const payloads = {
  latest: new Payloads(pool, async () => objects, silentLogger),
  payloadOf: (event: EventWithPayload) => payloads.latest.payloadOf(event),
};
const ids = new MessageIdSource();
const idOfArchive = () => ids.next(Date.now());
const log = new MemoryLog(4);
const replays = new Replays({ store: deadLetters, log, group: (_, key) => key, clock: systemClock });
const pools = new Map([
  ['upload', 'paused'],
  ['payment', 'running'],
]);
const changes: { client: string; action: string; target: string; after: unknown }[] = [];
const { ask } = await startTestGateway(t, {
  operations: {
    token: 'operators-only',
    version: '1.0.0',
    authenticator: {
      authenticate: async (header) =>
        header === 'Bearer looks' ? { name: 'anna', scopes: effectiveScopes(['read']) } : undefined,
    },
    audit: { record: async (entry) => void changes.push(entry) },
    routes: [
      ...deadLetterRoutes({ deadLetters, replay: async () => false }),
      ...deadLetterBulkRoutes({
        deadLetters,
        replayMany: (selection, msMax) => replays.many(selection, msMax),
        poolMode: (actor) => pools.get(actor),
        now: Date.now,
      }),
      ...eventRoutes({ events: new PaymentEvents(pool), deadLetters, payloads }),
      ...uploadListRoutes({ uploads, now: Date.now }),
    ],
  },
});

async function api(method: string, path: string, body?: unknown, as = 'operators-only') {
  const headers = [`Authorization: Bearer ${as}`, 'Content-Type: application/json'];
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await ask({ method, path, headers, ...sent });
  return { ...response, json: JSON.parse(response.body) };
}

const actor = await openActor(url);
t.teardown(() => actor.close());
const BODY =
  'unique_id=p1&status=approved&amount=100&currency=EUR&iban=DE89370400440532013000&card_holder=Anna+Muster';
const sent = messageOf(BODY);
await actor.receive([
  sent,
  messageOf('unique_id=p1&status=refunded'),
  messageOf('unique_id=p2&status=declined'),
]);

t.test('dead letters: preview, replay, drop', async (t) => {
  await pool.query('TRUNCATE dead_letters');
  const many = Array.from({ length: 30 }, (_, n) => letter({ key: `emp:${n % 3}` }, 1_000 + n));
  const lasting = {
    ...letter({ actor: 'upload', key: 'u' }),
    attempts: 1,
    cause: { code: 'TETHER_BAD', message: '', stack: '' },
  };
  await deadLetters.put([...many, lasting]);

  const preview = await api('POST', '/api/dead-letters/preview', { filter: {} }, 'looks');
  t.match(preview, {
    status: 200,
    json: {
      total: 31,
      keys: 4,
      oldest: 1_000,
      latest: 1_029,
      actors: [
        { actor: 'payment', count: 30, pool: 'running' },
        { actor: 'upload', count: 1, pool: 'paused' },
      ],
      codes: [
        { code: 'TETHER_TEST', count: 30, atOnce: 0 },
        { code: 'TETHER_BAD', count: 1, atOnce: 1 },
      ],
      effect: { replay: /^31 messages of 4 keys go back/ },
      warnings: [{ code: 'pool-not-running' }, { code: 'lasting-cause' }],
    },
  });
  t.equal(await deadLetters.count(), 31, 'nothing has happened');
  t.match(await api('POST', '/api/dead-letters/preview', { filter: { actor: 'nobody' } }), {
    json: { total: 0, oldest: null, warnings: [{ code: 'none-waits' }] },
  });
  for (const body of [
    {},
    { ids: [] },
    { filter: {}, ids: ['a'] },
    { filter: { actr: 'a' } },
    { filter: { from: 'yesterday' } },
    [],
  ]) {
    t.match(await api('POST', '/api/dead-letters/replay', body), { status: 400 }, JSON.stringify(body));
  }
  for (const route of ['replay', 'drop']) {
    t.equal((await api('POST', `/api/dead-letters/${route}`, { filter: {} }, 'looks')).status, 403, route);
  }

  t.match(await api('POST', '/api/dead-letters/drop', { filter: { code: 'TETHER_BAD' } }), {
    status: 200,
    json: { dropped: 1, left: 0 },
  });
  t.match(await deadLetters.get(lasting.envelope.id), { state: 'dropped', droppedBy: 'operator' });
  const ids = many.slice(0, 3).map(({ envelope }) => envelope.id);
  t.match(await api('POST', '/api/dead-letters/replay', { ids: [...ids, randomUUID()] }), {
    json: { replayed: 3, failed: 0, left: 0, stopped: null },
  });
  const rest = await api('POST', '/api/dead-letters/replay', {
    filter: { endpoint: 'emp', from: 1_003, to: '1970-01-01T00:00:01.029Z' },
  });
  t.match(rest, { status: 200, json: { replayed: 26, failures: [] } });
  t.equal(await deadLetters.count(), 1);
  t.equal(log.lag(), 29);
  t.match(
    await api('POST', '/api/dead-letters/preview', { filter: {} }),
    { json: { total: 1 } },
    'of those that wait',
  );
  t.match(changes, [
    {
      client: 'operator',
      action: 'dead-letters.drop',
      target: '{"code":"TETHER_BAD"}',
      after: { dropped: 1 },
    },
    { action: 'dead-letters.replay', target: '4 ids', after: { replayed: 3 } },
    { action: 'dead-letters.replay', after: { replayed: 26, left: 0 } },
  ]);
  t.equal(changes.length, 3);
});

t.test('dead letters: pages, and who may read', async (t) => {
  await pool.query('TRUNCATE dead_letters');
  const put = letter({ payload: Buffer.from(BODY) });
  await deadLetters.put([put, ...Array.from({ length: 4 }, () => letter())]);
  const seen: string[] = [];
  let cursor = '';
  do {
    const { json } = await api('GET', `/api/dead-letters?limit=2${cursor}`);
    seen.push(...json.deadLetters.map(({ envelope }: { envelope: { id: string } }) => envelope.id));
    cursor = json.next === null ? '' : `&cursor=${json.next}`;
  } while (cursor !== '');
  t.equal(new Set(seen).size, 5);
  t.equal(seen.length, 5);
  t.equal((await api('GET', '/api/dead-letters?cursor=abc')).status, 400);
  t.match(await api('GET', `/api/dead-letters?id=${put.envelope.id}&code=TETHER_TEST&endpoint=emp`), {
    json: { deadLetters: [{ envelope: { id: put.envelope.id } }], next: null },
  });

  const path = `/api/dead-letters/${put.envelope.id}`;
  for (const masked of [
    await api('GET', path),
    await api('GET', path, undefined, 'looks'),
    await api('GET', '/api/dead-letters', undefined, 'looks'),
  ]) {
    t.equal(masked.status, 200);
    t.notMatch(masked.body, /DE89|Anna|"payload":|payloadText/);
    t.match(masked.body, /"name":"iban","value":"","masked":true/);
  }
  const before = changes.length;
  t.equal((await api('POST', `${path}/reveal`, undefined, 'looks')).status, 403);
  t.equal(changes.length, before);
  t.match(await api('POST', `${path}/reveal`), { status: 200, json: { payloadText: BODY } });
  t.match(changes.at(-1), { client: 'operator', action: 'dead-letter.reveal', target: put.envelope.id });
  t.equal((await api('POST', '/api/dead-letters/nobody/reveal')).status, 404);
  await pool.query('TRUNCATE dead_letters');
});

t.test('events: found, shown with what came of them, and read by those who may', async (t) => {
  await deadLetters.put([letter({ key: 'emp:p1', payload: Buffer.from(BODY) })]);
  for (const query of [
    'key=p1',
    'key=emp:p1',
    'key=p1&endpoint=emp',
    'dedupe=processing:p1:',
    `from=2020-01-01&key=p1`,
  ]) {
    const { status, json } = await api('GET', `/api/events?${query}`, undefined, 'looks');
    t.match(
      {
        status,
        next: json.next,
        of: json.events.map(({ reportedStatus }: { reportedStatus: string }) => reportedStatus).sort(),
      },
      { status: 200, next: null, of: ['approved', 'refunded'] },
      query,
    );
  }
  const one = await api('GET', '/api/events?limit=1');
  t.equal((await api('GET', `/api/events?limit=200&cursor=${one.json.next}`)).json.events.length, 2);
  for (const query of [
    'limit=201',
    'kind=',
    `status=${'x'.repeat(600)}`,
    'from=soon',
    'dedupe=',
    'cursor=x',
    'q=1',
  ]) {
    t.equal((await api('GET', `/api/events?${query}`)).status, 400, query);
  }
  const shown = await api('GET', `/api/events/${sent.id}`, undefined, 'looks');
  t.match(shown, {
    status: 200,
    json: {
      event: { id: sent.id, key: 'p1', bytes: BODY.length },
      payment: { status: 'refunded', amount: 100, history: [{ status: 'approved' }, { status: 'refunded' }] },
      others: [{ reportedStatus: 'refunded' }],
      deadLetters: [{ envelope: { key: 'emp:p1' } }],
    },
  });
  t.notMatch(shown.body, /DE89|Anna/);
  t.equal((await api('GET', `/api/events/${randomUUID()}`)).status, 404);

  const before = changes.length;
  t.equal((await api('POST', `/api/events/${sent.id}/reveal`, undefined, 'looks')).status, 403);
  t.equal(changes.length, before);
  t.match(await api('POST', `/api/events/${sent.id}/reveal`), { status: 200, json: { payloadText: BODY } });
  t.match(changes.at(-1), { client: 'operator', action: 'event.reveal', target: sent.id });
  t.equal((await api('POST', `/api/events/${randomUUID()}/reveal`)).status, 404);
});

t.test('events whose body is archived, gone, or cannot be fetched', async (t) => {
  const parts = { pool, objects, hold: undefined, nextId: idOfArchive, logger: silentLogger };
  const limits = { eventsMax: 50_000, payloadBytesMax: 33_554_432, blockBytes: 65_536 };
  await archive({ ...parts, rules: { afterMs: 0, patienceMs: 0, keepDays: 0, limits } }, () => false);
  const path = `/api/events/${sent.id}`;
  const shown = await api('GET', path, undefined, 'looks');
  t.match(shown.json, {
    payload: { bytes: BODY.length },
    payloadMissing: null,
    event: { bytes: BODY.length },
  });
  t.type(shown.json.event.segment, 'string');
  t.notMatch(shown.body, /DE89|Anna/);
  t.match(await api('POST', `${path}/reveal`), { status: 200, json: { payloadText: BODY } });

  const changed = changes.length;
  const ends = async (status: number, payloadMissing: string, problem: string) => {
    // Without what is kept of blocks.
    payloads.latest = new Payloads(pool, async () => objects, silentLogger);
    const { json } = await api('GET', path, undefined, 'looks');
    t.match(json, { payload: null, payloadMissing, payment: { status: 'refunded' } });
    t.match(await api('POST', `${path}/reveal`), { status, json: { type: `urn:tether:problem:${problem}` } });
  };
  await rename(directory, `${directory}-away`);
  await ends(503, 'away', 'unavailable');
  await rename(`${directory}-away`, directory);
  const [object] = await objects.list('archive/', { limit: 2 });
  await objects.put(object?.key ?? '', Buffer.from('something else'));
  await ends(500, 'damaged', 'payload-damaged');
  await pool.query(`UPDATE archive_segments SET state = 'expired'`);
  await ends(410, 'gone', 'payload-gone');
  t.equal(changes.length, changed, 'nothing was revealed');
});

t.test('uploads of all clients', async (t) => {
  for (const owner of ['a', 'b', 'b']) {
    await uploads.create({
      id: randomUUID().replace(/^.{8}/, '00000000'),
      owner,
      via: 'raw',
      filename: 'x.csv',
      objectKey: 'k',
    });
  }
  const all = await api('GET', '/api/uploads', undefined, 'looks');
  t.match(all, {
    status: 200,
    json: { next: null, uploads: [{ state: 'receiving', filename: 'x.csv', processedBytes: 0 }, {}, {}] },
  });
  t.equal((await api('GET', '/api/uploads?client=b&state=receiving,failed')).json.uploads.length, 2);
  t.equal((await api('GET', '/api/uploads?state=failed')).json.uploads.length, 0);
  t.equal((await api('GET', '/api/uploads?to=2020-01-01')).json.uploads.length, 0);
  const page = await api('GET', '/api/uploads?limit=2');
  t.equal((await api('GET', `/api/uploads?limit=2&cursor=${page.json.next}`)).json.uploads.length, 1);
  for (const query of ['state=lost', 'limit=0', 'cursor=x', 'from=x'])
    t.equal((await api('GET', `/api/uploads?${query}`)).status, 400, query);
});
