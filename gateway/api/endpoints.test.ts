/** What the routes of endpoints answer; that endpoints do what they say, `deploy/endpoints/node-endpoints.test.ts` shows. */
import t, { type Test } from 'tap';
import { PostgresUnavailableError } from '../../storage/postgres/index.js';
import { EndpointConfiguredError, EndpointRefusedError } from '../errors.js';
import { startTestGateway } from '../test/start.js';
import { type EndpointControl, type EndpointState, endpointRoutes } from './endpoints.js';
import type { AuditEntry } from './route.js';

const TOKEN = 'operators-only';
const SHOWN = { reference: null, digest: '0123abcd' };

function stateOf(name: string, more: Partial<EndpointState> = {}): EndpointState {
  return {
    name,
    source: 'api',
    provider: 'emp',
    token: SHOWN,
    secrets: [SHOWN],
    settings: { actor: 'payment' },
    served: true,
    problems: [],
    changedAt: '2026-11-26T09:00:00.000Z',
    changedBy: 'operator',
    ...more,
  };
}

/** One of a file, and those that are put. */
class SomeEndpoints implements EndpointControl {
  failure: Error | undefined;
  readonly given: unknown[] = [];
  readonly #saved = new Map<string, EndpointState>();

  list() {
    const file = stateOf('file', { source: 'file', changedAt: null, changedBy: null });
    return [file, ...this.#saved.values()];
  }

  file() {
    return { path: '/etc/endpoints.yaml', readAt: null, problems: [] };
  }

  async put(name: string, settings: object, by: string) {
    if (this.failure !== undefined) throw this.failure;
    this.given.push(settings);
    const before = this.#saved.get(name);
    const after = stateOf(name, { changedBy: by });
    this.#saved.set(name, after);
    return { before, after };
  }

  async remove(name: string) {
    if (this.failure !== undefined) throw this.failure;
    const before = this.#saved.get(name);
    this.#saved.delete(name);
    return before;
  }
}

async function start(t: Test) {
  const endpoints = new SomeEndpoints();
  const entries: AuditEntry[] = [];
  const { ask } = await startTestGateway(t, {
    operations: {
      token: TOKEN,
      version: '1.0.0',
      routes: endpointRoutes(endpoints),
      audit: { record: async (entry) => void entries.push(entry) },
    },
  });
  const api = async (method: string, path: string, body?: unknown) => {
    const headers = [`Authorization: Bearer ${TOKEN}`, 'Content-Type: application/json'];
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const { status, body: text } = await ask({ method, path, headers, ...sent });
    return { status, json: JSON.parse(text) };
  };
  return { endpoints, entries, api };
}

t.test('made, looked at, changed and taken away; each change is noted, without a secret', async (t) => {
  const { endpoints, entries, api } = await start(t);
  const settings = { provider: 'emp', token: 'tok', secrets: ['hunter2'] };
  t.match(await api('PUT', '/api/endpoints/shop', settings), { status: 200, json: { name: 'shop' } });
  t.strictSame(endpoints.given, [settings]);
  const list = await api('GET', '/api/endpoints');
  t.match(list, {
    status: 200,
    json: { endpoints: [{ name: 'file', source: 'file' }, { name: 'shop' }], file: { problems: [] } },
  });
  t.match(await api('GET', '/api/endpoints/shop'), { status: 200, json: { secrets: [SHOWN] } });
  t.match(await api('PUT', '/api/endpoints/shop', { provider: 'emp' }), { status: 200 });
  t.match(await api('DELETE', '/api/endpoints/shop'), { status: 200, json: { name: 'shop' } });
  t.match(await api('DELETE', '/api/endpoints/shop'), { status: 404 });
  t.match(await api('GET', '/api/endpoints/shop'), { status: 404, json: { detail: /no endpoint/ } });
  t.match(entries, [
    { action: 'endpoint.put', target: 'shop', before: null, after: { name: 'shop' } },
    { action: 'endpoint.put', before: { name: 'shop' } },
    { action: 'endpoint.remove', target: 'shop', before: { name: 'shop' }, after: null },
  ]);
  t.equal(entries.length, 3);
  t.notMatch(JSON.stringify(entries), /hunter2/);
});

t.test('what is refused is not noted', async (t) => {
  const { endpoints, entries, api } = await start(t);
  for (const body of [[], 'x', 7, null]) {
    t.match(await api('PUT', '/api/endpoints/shop', body), {
      status: 400,
      json: { type: 'urn:tether:problem:invalid-body' },
    });
  }
  const large = { networks: ['x'.repeat(300 * 1024)] };
  t.match(await api('PUT', '/api/endpoints/shop', large), { status: 413 });
  for (const [failure, status, name, detail] of [
    [new EndpointRefusedError(['a: no', 'b: no']), 422, 'endpoint-not-allowed', 'a: no; b: no'],
    [new EndpointConfiguredError('x'), 409, 'endpoint-configured', /change it there/],
    [new PostgresUnavailableError('away'), 503, 'unavailable', /try again/],
  ] as const) {
    endpoints.failure = failure;
    for (const [method, body] of [
      ['PUT', { provider: 'emp' }],
      ['DELETE', undefined],
    ] as const) {
      const answer = await api(method, '/api/endpoints/shop', body);
      t.match(answer, { status, json: { type: `urn:tether:problem:${name}`, detail } }, `${method} ${name}`);
    }
  }
  t.strictSame(entries, []);
});
