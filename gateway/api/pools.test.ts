/** What the routes of pools answer; that pools do what they say, `deploy/pools.test.ts` shows. */
import t, { type Test } from 'tap';
import { PoolRequestError } from '../../runtime/errors.js';
import { PostgresUnavailableError } from '../../storage/postgres/index.js';
import { startTestGateway } from '../test/start.js';
import { type PoolControl, type PoolState, poolRoutes } from './pools.js';
import type { AuditEntry } from './route.js';

const TOKEN = 'operators-only';
const FILE = { min: 1, max: 1, batchMax: 500, lingerMs: 0, inFlightMax: 2_048 };

/** One pool, of the actor `a/b`. */
class OnePool implements PoolControl {
  failure: Error | undefined;
  readonly done: string[] = [];
  #state: PoolState = {
    actor: 'a/b',
    mode: 'running',
    threads: 1,
    resizing: false,
    inFlight: 0,
    done: 0,
    delayMs: 0,
    outage: null,
    settings: { current: FILE, file: FILE, differs: false },
    allowed: {
      min: { min: 1, max: 256 },
      max: { min: 1, max: 256 },
      batchMax: { min: 1, max: 500 },
      lingerMs: { min: 0, max: 10_000 },
      inFlightMax: { min: 1, max: 16_384 },
    },
    saved: null,
  };

  list() {
    return [this.#state];
  }

  #after(what: string, more: Partial<PoolState>): PoolState {
    if (this.failure !== undefined) throw this.failure;
    this.done.push(what);
    this.#state = { ...this.#state, ...more };
    return this.#state;
  }

  async change(_: string, change: object, by: string) {
    const current = { ...FILE, ...change };
    const saved = { paused: false, changedAt: '', changedBy: by };
    return this.#after(`change ${by}`, { settings: { current, file: FILE, differs: true }, saved });
  }

  async reset(_: string, by: string) {
    const settings = { current: FILE, file: FILE, differs: false };
    return this.#after(`reset ${by}`, { settings, saved: null });
  }

  async pause(_: string, by: string) {
    return this.#after(`pause ${by}`, { mode: 'paused' });
  }

  async resume(_: string, by: string) {
    return this.#after(`resume ${by}`, { mode: 'running' });
  }

  drain(_: string, deadlineMs: number) {
    return this.#after(`drain ${deadlineMs}`, { mode: 'draining' });
  }
}

async function start(t: Test) {
  const pools = new OnePool();
  const entries: AuditEntry[] = [];
  const { ask } = await startTestGateway(t, {
    operations: {
      token: TOKEN,
      version: '1.0.0',
      routes: poolRoutes(pools),
      audit: { record: async (entry) => void entries.push(entry) },
    },
  });
  const api = async (method: string, path: string, body?: object) => {
    const headers = [`Authorization: Bearer ${TOKEN}`, 'Content-Type: application/json'];
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const { status, body: text } = await ask({ method, path, headers, ...sent });
    return { status, json: JSON.parse(text) };
  };
  return { pools, entries, api };
}

t.test('each operation answers with the pool after it, and is noted once', async (t) => {
  const { pools, entries, api } = await start(t);
  t.match(await api('GET', '/api/pools'), { status: 200, json: { pools: [{ actor: 'a/b' }] } });
  t.match(await api('GET', '/api/pools/a%2Fb'), { status: 200, json: { mode: 'running', saved: null } });
  t.match(await api('PUT', '/api/pools/a%2Fb', { max: 4 }), {
    status: 200,
    json: { settings: { current: { max: 4 }, differs: true } },
  });
  t.match(await api('DELETE', '/api/pools/a%2Fb/settings'), { status: 200, json: { saved: null } });
  t.match(await api('POST', '/api/pools/a%2Fb/pause'), { status: 200, json: { mode: 'paused' } });
  t.match(await api('POST', '/api/pools/a%2Fb/resume'), { status: 200, json: { mode: 'running' } });
  t.match(await api('POST', '/api/pools/a%2Fb/drain', {}), { status: 200, json: { mode: 'draining' } });
  t.match(await api('POST', '/api/pools/a%2Fb/drain', { deadlineMs: 5 }), { status: 200 });
  t.strictSame(pools.done, [
    'change operator',
    'reset operator',
    'pause operator',
    'resume operator',
    'drain 30000',
    'drain 5',
  ]);
  t.match(entries, [
    { action: 'pool.change', target: 'a/b', before: FILE, after: { ...FILE, max: 4 } },
    { action: 'pool.reset', before: { ...FILE, max: 4 }, after: FILE },
    { action: 'pool.pause', before: { mode: 'running' }, after: { mode: 'paused' } },
    { action: 'pool.resume', before: { mode: 'paused' }, after: { mode: 'running' } },
    { action: 'pool.drain', after: { mode: 'draining', deadlineMs: 30_000 } },
    { action: 'pool.drain' },
  ]);
  t.equal(entries.length, 6);
});

t.test('what is refused is not noted', async (t) => {
  const { pools, entries, api } = await start(t);
  for (const [method, path, body] of [
    ['GET', '/api/pools/other', undefined],
    ['PUT', '/api/pools/other', { max: 1 }],
    ['DELETE', '/api/pools/other/settings', undefined],
    ['POST', '/api/pools/other/pause', undefined],
    ['POST', '/api/pools/other/drain', {}],
  ] as const) {
    t.match(await api(method, path, body), { status: 404, json: { detail: /no pool/ } }, path);
  }
  for (const body of [{}, { max: 1.5 }, { max: '1' }, { threads: 1 }, { max: null }]) {
    const answer = await api('PUT', '/api/pools/a%2Fb', body);
    t.match(answer, { status: 400, json: { type: 'urn:tether:problem:invalid-body' } }, JSON.stringify(body));
  }
  t.match(await api('POST', '/api/pools/a%2Fb/drain', { deadlineMs: 0 }), { status: 400 });
  pools.failure = new PoolRequestError('batchMax cannot be 501');
  t.match(await api('PUT', '/api/pools/a%2Fb', { batchMax: 501 }), {
    status: 422,
    json: {
      type: 'urn:tether:problem:setting-not-allowed',
      detail: /^allowed is min 1 to 256, .* batchMax 1 to 500, .* min not over max$/,
    },
  });
  t.match(await api('POST', '/api/pools/a%2Fb/drain', {}), {
    status: 409,
    json: { type: 'urn:tether:problem:drains-already' },
  });
  pools.failure = new PostgresUnavailableError('away');
  for (const verb of ['pause', 'resume']) {
    t.match(await api('POST', `/api/pools/a%2Fb/${verb}`), { status: 503 }, verb);
  }
  t.match(await api('PUT', '/api/pools/a%2Fb', { max: 2 }), { status: 503 });
  t.match(await api('DELETE', '/api/pools/a%2Fb/settings'), { status: 503 });
  t.strictSame(entries, []);
});
