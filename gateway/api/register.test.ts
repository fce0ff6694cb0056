import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { z } from 'zod';
import { silentLogger } from '../../runtime/logger.js';
import type { Client, Scope } from '../auth/client.js';
import { effectiveScopes } from '../auth/client.js';
import { startTestGateway } from '../test/start.js';
import { type ApiRoute, type AuditEntry, apiRoute } from './route.js';

const TOKEN = 'operators-only';
const SCOPES_OF: Readonly<Record<string, readonly Scope[]>> = {
  looks: ['read'],
  works: ['operate'],
  older: ['operations'],
  uploads: ['uploads:read', 'uploads:write', 'uploads:all'],
};

const get = apiRoute({
  method: 'get',
  path: '/api/things/{name}',
  id: 'getThing',
  tag: 'Things',
  summary: 'A thing',
  scope: 'read',
  params: z.strictObject({ name: z.string().max(10) }),
  query: z.strictObject({ size: z.coerce.number().int().min(1).max(5).default(2) }),
  answer: z.object({ name: z.string(), size: z.number() }),
  work: ({ params: { name }, query: { size } }) => ({ name, size }),
});
const put = apiRoute({
  method: 'put',
  path: '/api/things/{name}',
  id: 'putThing',
  tag: 'Things',
  summary: 'Changes a thing',
  scope: 'operate',
  params: z.strictObject({ name: z.string() }),
  body: z.strictObject({ size: z.int().min(1).max(5) }),
  answer: z.object({ size: z.number() }),
  problems: ['not-waiting'],
  async work({ params: { name }, body: { size }, audit }) {
    await audit({ action: 'thing.change', target: name, before: { size: 1 }, after: { size } });
    return { size };
  },
});

async function start(t: Parameters<typeof startTestGateway>[0], routes: readonly ApiRoute[] = [get, put]) {
  const entries: AuditEntry[] = [];
  const audit = { failure: undefined as Error | undefined };
  const authenticate = async (authorization: string): Promise<Client | undefined> => {
    const name = authorization.replace('Bearer ', '');
    const scopes = SCOPES_OF[name];
    return scopes && { name, scopes: effectiveScopes(scopes) };
  };
  const { ask } = await startTestGateway(t, {
    logger: silentLogger,
    now: () => 1_000,
    operations: {
      token: TOKEN,
      version: '1.2.3',
      authenticator: { authenticate },
      routes,
      audit: {
        record: async (entry) => {
          if (audit.failure !== undefined) throw audit.failure;
          entries.push(entry);
        },
      },
    },
  });
  const api = async (
    method: string,
    path: string,
    { as = TOKEN, body }: { as?: string; body?: unknown } = {},
  ) => {
    const headers = [`Authorization: Bearer ${as}`, 'Content-Type: application/json'];
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const response = await ask({ method, path, headers, ...sent });
    return { ...response, json: response.body === '' ? undefined : JSON.parse(response.body) };
  };
  return { ask, api, entries, audit };
}

t.test('a path, a query and a body are what they must be', async (t) => {
  const { api } = await start(t);
  t.match(await api('GET', '/api/things/a%20b'), { status: 200, json: { name: 'a b', size: 2 } });
  t.match(await api('GET', '/api/things/a%2Fb?size=5'), { status: 200, json: { name: 'a/b', size: 5 } });
  t.match(await api('HEAD', '/api/things/a'), { status: 200, body: '' });
  for (const path of ['/api/things/a%zz', `/api/things/${'a'.repeat(11)}`, '/api/things/', '/api/things']) {
    t.match(await api('GET', path), { status: 404 }, path);
  }
  for (const query of [
    'size=0',
    'size=6',
    'size=x',
    'size=1.5',
    'size=1&size=2',
    'Size=1',
    'size=1&secretly=1',
  ]) {
    const { status, json, body } = await api('GET', `/api/things/a?${query}`);
    t.match({ status, json }, { status: 400, json: { type: 'urn:tether:problem:invalid-query' } }, query);
    t.notMatch(body, /secretly/, 'what was sent is not repeated');
  }
  for (const body of [{ size: 0 }, { size: '1' }, {}, { size: 1, secretly: 2 }, [], null, '{', '']) {
    const answer = await api('PUT', '/api/things/a', { body });
    t.match(answer, { status: 400, json: { type: 'urn:tether:problem:invalid-body' } }, JSON.stringify(body));
    t.notMatch(answer.body, /secretly/);
  }
  t.match(await api('POST', '/api/things/a', { body: {} }), {
    status: 405,
    headers: { allow: 'GET, HEAD, PUT' },
  });
});

t.test('a token does what its scopes allow', async (t) => {
  const { api, entries } = await start(t);
  const change = (as: string) => api('PUT', '/api/things/a', { as, body: { size: 3 } });
  for (const as of ['looks', 'works', 'older', TOKEN]) {
    t.match(await api('GET', '/api/things/a', { as }), { status: 200 }, as);
  }
  for (const as of ['works', 'older', TOKEN])
    t.match(await change(as), { status: 200, json: { size: 3 } }, as);
  t.same(
    entries.map(({ client }) => client),
    ['works', 'older', 'operator'],
  );
  t.match(await change('looks'), { status: 403, json: { type: 'urn:tether:problem:scope-missing' } });
  t.match(await api('GET', '/api/things/a', { as: 'uploads' }), { status: 403 });
  t.match(await api('GET', '/api/things/a', { as: 'nobody' }), { status: 401 });
  t.match(await change('nobody'), { status: 401 });
  t.equal(entries.length, 3, 'who may not has changed nothing');
});

t.test('a change is noted, and stands when its note cannot be written', async (t) => {
  const { api, entries, audit } = await start(t);
  await api('PUT', '/api/things/a', { body: { size: 3 } });
  t.strictSame(entries, [
    {
      at: 1_000,
      client: 'operator',
      action: 'thing.change',
      target: 'a',
      before: { size: 1 },
      after: { size: 3 },
    },
  ]);
  audit.failure = new Error('away');
  t.match(await api('PUT', '/api/things/a', { body: { size: 4 } }), { status: 200, json: { size: 4 } });
});

t.test('the document of the API is valid, and has every route', async (t) => {
  const { ask } = await start(t);
  const { status, body } = await ask({ path: '/api/openapi.json' });
  t.equal(status, 200, 'without a token');
  t.match(await ask({ method: 'HEAD', path: '/api/openapi.json' }), { status: 200, body: '' });
  const document = JSON.parse(body);
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  t.ok(valid, JSON.stringify(errors));
  t.equal(validator.version, '3.1');
  t.same(Object.keys(document.paths), ['/api/me', '/api/things/{name}']);
  const { get, put } = document.paths['/api/things/{name}'];
  t.match(get, {
    operationId: 'getThing',
    parameters: [
      { in: 'path', name: 'name', required: true },
      { in: 'query', name: 'size' },
    ],
  });
  t.match(put.requestBody.content['application/json'].schema, { properties: { size: { maximum: 5 } } });
  t.ok(put.responses['409'], 'its own problems are there');
  t.match(document, { info: { version: '1.2.3' } });
});

t.test('two routes for one thing are a mistake', async (t) => {
  await t.rejects(start(t, [get, get]), { message: 'get /api/things/{name} is there twice' });
});
