import t from 'tap';
import { z } from 'zod';
import { silentLogger } from '../../runtime/logger.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import { createDeadLetterStore, Tokens } from '../../storage/postgres/index.js';
import { createPool } from '../../storage/postgres/pool.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { TokenAuthenticator } from '../auth/authenticator.js';
import { request } from '../test/raw-client.js';
import { startTestGateway } from '../test/start.js';
import { deadLetterRoutes } from './dead-letters.js';
import { apiRoute } from './route.js';
import { tokenRoutes } from './tokens.js';

const { pool, url } = await startTestPostgres(t);
const TOKEN = 'operators-only';
const ids = new MessageIdSource();
const nextId = () => ids.next(Date.now());
const JSON_TYPE = 'Content-Type: application/json';

async function start(t: Parameters<typeof startTestGateway>[0], { on = pool, withTokens = true } = {}) {
  const tokens = new Tokens(on);
  const clock = { ms: 0 };
  const authenticator = new TokenAuthenticator({
    bootstrapToken: TOKEN,
    tokens,
    logger: silentLogger,
    now: () => Date.now() + clock.ms,
  });
  const { ask, client } = await startTestGateway(t, {
    operations: {
      token: TOKEN,
      authenticator,
      version: '1.0.0',
      routes: [
        apiRoute({
          method: 'get',
          path: '/api/hello',
          id: 'hello',
          tag: 'Test',
          summary: 'Needs nothing',
          scope: 'read',
          answer: z.string(),
          work: () => 'hello',
        }),
        ...(withTokens ? tokenRoutes(tokens, nextId) : []),
        ...deadLetterRoutes({ deadLetters: createDeadLetterStore(on), replay: async () => false }),
      ],
    },
  });
  const api = async (
    method: string,
    path: string,
    { token = TOKEN, body }: { token?: string; body?: unknown } = {},
  ) => {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const headers = [`Authorization: Bearer ${token}`, JSON_TYPE];
    const response = await ask({ method, path, headers, ...(method === 'GET' ? {} : { body: text }) });
    return { ...response, json: JSON.parse(response.body) };
  };
  const create = async (scopes: string[], more: object = {}) => {
    const body = { client: 'acme', scopes, ...more };
    return (await api('POST', '/api/tokens', { body })).json as { id: string; token: string };
  };
  return { api, create, clock, client };
}

t.test('a token is made, shown once, listed and revoked', async (t) => {
  const { api, create, clock } = await start(t);
  const body = { client: 'acme', scopes: ['operations'], note: 'für Ops', expiresInDays: 3 };
  const made = await api('POST', '/api/tokens', { body });
  t.match(made, {
    status: 201,
    headers: { 'cache-control': 'no-store' },
    json: { token: /^tether_/, client: 'acme', note: 'für Ops', scopes: ['operations'], revokedAt: null },
  });
  const { id, token } = made.json;
  t.match(await api('GET', '/api/dead-letters', { token }), { status: 200 });
  t.match(await api('GET', '/api/dead-letters', { token }), { status: 200, json: { waiting: 0 } });

  const second = await create(['uploads:read']);
  const listed = await api('GET', '/api/tokens');
  t.match(listed, { status: 200, headers: { 'cache-control': 'no-store' } });
  t.strictSame(
    listed.json.tokens.map((each: { id: string }) => each.id),
    [second.id, id],
  );
  t.notMatch(listed.body, /tether_|hash/);

  const revoked = await api('POST', `/api/tokens/${id}/revoke`);
  t.match(revoked, { status: 200, json: { id, revokedAt: /^\d{4}-/ } });
  t.strictSame((await api('POST', `/api/tokens/${id}/revoke`)).json, revoked.json, 'again');
  clock.ms += 10_000;
  t.match(await api('GET', '/api/dead-letters', { token }), { status: 401 });
  for (const other of ['nothing', '01890a5d-ac96-774b-bcce-b302099a8057', `${id}%00`]) {
    t.match(await api('POST', `/api/tokens/${other}/revoke`), { status: 404 }, other);
  }
});

t.test('only a token of the scope sees anything, and gives what it has', async (t) => {
  const { api, create } = await start(t);
  const reader = await create(['uploads:read', 'uploads:write', 'uploads:all']);
  for (const path of ['/api/dead-letters', '/api/tokens', '/api/nothing']) {
    const refused = await api('GET', path, { token: reader.token });
    t.match(refused, { status: 403, json: { type: 'urn:tether:problem:scope-missing' } }, path);
  }
  const operator = await create(['operations']);
  const ask = (scopes: string[]) =>
    api('POST', '/api/tokens', { token: operator.token, body: { client: 'a', scopes } });
  t.match(await ask(['operations', 'uploads:read']), { status: 403 });
  t.match(await ask(['operations']), { status: 201 });
});

t.test('a body that is not as it must be', async (t) => {
  const { api, client } = await start(t);
  const before = (await api('GET', '/api/tokens')).json.tokens.length;
  const good = { client: 'acme', scopes: ['operations'] };
  const bodies: unknown[] = [
    '',
    '{',
    '[]',
    'null',
    {},
    { ...good, client: 'a b' },
    { ...good, client: 'a\u202e' },
    { ...good, client: 'a'.repeat(65) },
    { ...good, scopes: [] },
    { ...good, scopes: ['everything'] },
    { ...good, note: 'a\nb' },
    { ...good, note: '\u202e' },
    { ...good, expiresInDays: 0 },
    { ...good, expiresInDays: 1.5 },
    { ...good, 'sesame-open': 1 },
  ];
  for (const body of bodies) {
    const refused = await api('POST', '/api/tokens', { body });
    t.match(
      refused,
      { status: 400, json: { type: 'urn:tether:problem:invalid-body' } },
      JSON.stringify(body),
    );
    t.notMatch(refused.body, /sesame|everything/, 'nothing of it is told');
  }
  t.match(await api('POST', '/api/tokens', { body: 'x'.repeat(16 * 1024 + 1) }), { status: 413 });
  const raw = await client();
  const headers = [`Authorization: Bearer ${TOKEN}`, 'Content-Type: text/plain'];
  raw.write(request({ method: 'POST', path: '/api/tokens', headers, body: JSON.stringify(good) }));
  t.match(await raw.response(), { status: 415 });
  t.equal((await api('GET', '/api/tokens')).json.tokens.length, before, 'none was made');
  t.match(await api('DELETE', '/api/tokens'), { status: 405, headers: { allow: 'GET, HEAD, POST' } });
});

t.test('without the table there are no tokens', async (t) => {
  const { api } = await start(t, { withTokens: false });
  t.match(await api('GET', '/api/tokens'), { status: 404 });
});

t.test('Postgres away: the bootstrap token is let in, others hear of the outage', async (t) => {
  const own = createPool({ url, connectionsMax: 1, applicationName: 'tether test', logger: silentLogger });
  const { api, create } = await start(t, { on: own });
  const { token } = await create(['operations']);
  await own.end();
  t.match(await api('GET', '/api/hello'), { status: 200, json: 'hello' });
  const away = { status: 503, json: { type: 'urn:tether:problem:unavailable' } };
  t.match(await api('GET', '/api/dead-letters', { token }), away);
  t.match(await api('GET', '/api/tokens'), away);
});
