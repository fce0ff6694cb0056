import { createHash } from 'node:crypto';
import t from 'tap';
import { OutageError } from '../../runtime/errors.js';
import type {
  DeadLetterFilter,
  DeadLetterStore,
  StoredDeadLetter,
} from '../../runtime/stores/dead-letter.js';
import type { Gateway } from '../server.js';
import type { RequestParts } from '../test/raw-client.js';
import { startTestGateway } from '../test/start.js';
import { deadLetterRoutes } from './dead-letters.js';

const TOKEN = 'operators-only';

class DatabaseAwayError extends OutageError {
  readonly code = 'TEST_DATABASE_AWAY';
}

function letter(id: string, payload: Buffer, state: StoredDeadLetter['state'] = 'waiting'): StoredDeadLetter {
  return {
    envelope: {
      id,
      actor: 'payment',
      key: `emp:${id}`,
      dedupe: `processing:${id}::approved`,
      receivedAt: 1_700_000_000_000,
      traceparent: '',
      payload,
    },
    cause: { code: 'TETHER_EMP_MALFORMED', message: 'it is malformed', stack: 'at nowhere' },
    attempts: 3,
    deadAt: 1_700_000_001_000,
    state,
    replayedAt: state === 'replayed' ? 1_700_000_002_000 : undefined,
    droppedAt: undefined,
    droppedBy: undefined,
  };
}

/** Dead letters in memory; `failure` is what every call then rejects with. */
class Letters implements Pick<DeadLetterStore, 'list' | 'get' | 'count'> {
  readonly filters: DeadLetterFilter[] = [];
  failure: Error | undefined;
  readonly #letters = [
    letter('text', Buffer.from('unique_id=ä')),
    letter('bytes', Buffer.from([0xff, 0x00])),
    letter('done', Buffer.from(''), 'replayed'),
  ];

  async list(filter: DeadLetterFilter) {
    if (this.failure !== undefined) throw this.failure;
    this.filters.push(filter);
    return this.#letters;
  }

  async get(id: string) {
    if (this.failure !== undefined) throw this.failure;
    return this.#letters.find(({ envelope }) => envelope.id === id);
  }

  async count() {
    return 2;
  }
}

async function start(test: Parameters<typeof startTestGateway>[0]) {
  const letters = new Letters();
  const replayed: string[] = [];
  const { gateway, ask, client } = await startTestGateway(test, {
    operations: {
      token: TOKEN,
      version: '1.0.0',
      routes: deadLetterRoutes({
        deadLetters: letters,
        replay: async (id) => {
          if (id !== 'text') return false;
          replayed.push(id);
          return true;
        },
      }),
    },
  });
  const api = async (path: string, parts: Partial<RequestParts> = {}) => {
    const headers = [`Authorization: Bearer ${TOKEN}`];
    const response = await ask({ path, headers, ...parts });
    return { ...response, json: response.body === '' ? undefined : JSON.parse(response.body) };
  };
  return { gateway: gateway as Gateway, letters, replayed, ask, api, client };
}

const PATHS = ['/api/dead-letters', '/api/dead-letters/text', '/api/nothing', '/api'];

t.test('nothing is there without a token of its own', async (t) => {
  const none = await startTestGateway(t);
  const empty = await startTestGateway(t, {
    operations: {
      token: '',
      version: '1.0.0',
      routes: deadLetterRoutes({ deadLetters: new Letters(), replay: async () => true }),
    },
  });
  for (const { ask } of [none, empty]) {
    for (const path of PATHS) {
      t.match(await ask({ path, headers: ['Authorization: Bearer '] }), { status: 404 }, path);
      t.match(await ask({ path: `${path}/replay`, method: 'POST', body: '' }), { status: 404 });
    }
  }
});

t.test('nothing is said without the token', async (t) => {
  const { ask, replayed } = await start(t);
  const wrong = [
    [],
    ['Authorization: Bearer'],
    ['Authorization: Bearer operators-onl'],
    ['Authorization: Bearer operators-onlyy'],
    [`Authorization: Basic ${TOKEN}`],
    [`Authorization: ${TOKEN}`],
  ];
  for (const headers of wrong) {
    for (const path of PATHS.filter((path) => path !== '/api')) {
      const response = await ask({ path, headers });
      t.match(response, { status: 401, headers: { 'www-authenticate': /^Bearer / } }, `${path} ${headers}`);
      t.match(JSON.parse(response.body), { type: 'urn:tether:problem:token-required' });
    }
    const replay = await ask({ method: 'POST', path: '/api/dead-letters/text/replay', headers, body: '' });
    t.equal(replay.status, 401);
  }
  t.same(replayed, []);
});

t.test('dead letters', async (t) => {
  const { api, letters } = await start(t);
  const { status, headers, json } = await api('/api/dead-letters');
  t.match({ status, headers }, { status: 200, headers: { 'cache-control': 'no-store' } });
  t.equal(json.waiting, 2);
  t.equal(json.deadLetters.length, 3);
  t.same(json.deadLetters[0], {
    envelope: {
      id: 'text',
      actor: 'payment',
      key: 'emp:text',
      dedupe: 'processing:text::approved',
      receivedAt: 1_700_000_000_000,
      traceparent: '',
      payloadMasked: {
        bytes: 12,
        sha256: createHash('sha256').update('unique_id=ä').digest('hex'),
        fields: [{ name: 'unique_id', value: 'ä', masked: false }],
      },
    },
    cause: { code: 'TETHER_EMP_MALFORMED', message: 'it is malformed', stack: 'at nowhere' },
    attempts: 3,
    deadAt: 1_700_000_001_000,
    state: 'waiting',
  });
  t.equal(json.deadLetters[1].envelope.payloadMasked.fields, null, 'bytes that are no text');
  t.match(await api('/api/dead-letters/done'), {
    status: 200,
    json: { state: 'replayed', replayedAt: 1_700_000_002_000 },
  });
  t.match(await api('/api/dead-letters/other'), {
    status: 404,
    json: { type: 'urn:tether:problem:not-found' },
  });
  t.match(await api('/api/dead-letters', { method: 'HEAD' }), { status: 200, body: '' });

  await api('/api/dead-letters?actor=payment&key=emp%3Aa%2Bb&state=waiting&limit=1000');
  t.same(letters.filters.at(-1), { actor: 'payment', key: 'emp:a+b', state: 'waiting', limit: 1000 });
  for (const query of ['', '?', '?state=all']) {
    await api(`/api/dead-letters${query}`);
    t.same(letters.filters.at(-1), { limit: 100 }, query);
  }
  await api('/api/dead-letters?key=emp:a+b%20c');
  t.same(letters.filters.at(-1), { key: 'emp:a b c', limit: 100 }, 'form encoding');
});

t.test('a query that makes no sense', async (t) => {
  const { api } = await start(t);
  for (const query of [
    'limit=0',
    'limit=1001',
    'limit=-1',
    'limit=1e2',
    'limit=',
    'limit=x',
    'state=dead',
    'state=',
    'State=waiting',
    'actors=payment',
    'actor=payment&payload',
    'state=waiting&state=replayed',
    `key=${'k'.repeat(513)}`,
  ]) {
    t.match(
      await api(`/api/dead-letters?${query}`),
      { status: 400, json: { type: 'urn:tether:problem:invalid-query' } },
      query,
    );
  }
});

t.test('replay', async (t) => {
  const { api, replayed } = await start(t);
  const replay = (id: string) => api(`/api/dead-letters/${id}/replay`, { method: 'POST', body: '' });
  t.match(await replay('text'), { status: 200, json: { id: 'text', state: 'replayed' } });
  t.same(replayed, ['text']);
  t.match(await replay('done'), { status: 409, json: { type: 'urn:tether:problem:not-waiting' } });
  t.match(await replay('other'), { status: 404 });
  t.match(await api('/api/dead-letters/text/replay'), { status: 405, headers: { allow: 'POST' } });
  t.match(await api('/api/dead-letters', { method: 'DELETE' }), {
    status: 405,
    headers: { allow: 'GET, HEAD' },
  });
});

t.test('what is not there', async (t) => {
  const { api } = await start(t);
  t.match(await api('/api/nothing'), { status: 404 });
});

t.test('a store that is away, and one that breaks', async (t) => {
  const { api, letters } = await start(t);
  letters.failure = new DatabaseAwayError('no connection to 192.0.2.1');
  const away = await api('/api/dead-letters');
  t.match(away, {
    status: 503,
    headers: { 'retry-after': /^\d+$/ },
    json: { type: 'urn:tether:problem:unavailable' },
  });
  letters.failure = new TypeError('secret detail');
  const broken = await api('/api/dead-letters/text');
  t.match(broken, { status: 500, json: { type: 'urn:tether:problem:internal' } });
  for (const { body } of [away, broken]) t.notMatch(body, /192|secret/);
});

t.test('a client that leaves before its answer, and a gateway that drains', async (t) => {
  const { gateway, client, ask, api } = await start(t);
  const gone = await client();
  const path = '/api/dead-letters';
  await gone.flush(`GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
  gone.reset();
  t.match(await ask({ path: '/livez' }), { status: 200 });

  const kept = await client();
  kept.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
  await kept.response();
  await gateway.drain(100);
  kept.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
  t.match(await kept.response(), { status: 503, headers: { connection: 'close' } });
  await t.rejects(api(path), { code: 'ECONNREFUSED' });
});
