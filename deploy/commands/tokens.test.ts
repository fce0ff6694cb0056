import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { tokenRoutes } from '../../gateway/api/tokens.js';
import { TokenAuthenticator } from '../../gateway/auth/authenticator.js';
import { startTestGateway } from '../../gateway/test/start.js';
import { silentLogger } from '../../runtime/logger.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import { Tokens } from '../../storage/postgres/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { spawnCli } from '../test/spawn-cli.js';
import { createToken, generateToken, listTokens, revokeToken } from './tokens-run.js';

// Some cases are processes of their own, which take a while on a busy machine.
t.setTimeout(180_000);

const TOKEN = 'a-token-of-some-length';
const { pool } = await startTestPostgres(t);
const tokens = new Tokens(pool);
const ids = new MessageIdSource();
const authenticator = new TokenAuthenticator({
  bootstrapToken: TOKEN,
  tokens,
  logger: silentLogger,
  now: Date.now,
});
const { gateway } = await startTestGateway(t, {
  operations: {
    token: TOKEN,
    authenticator,
    version: '1.0.0',
    routes: tokenRoutes(tokens, () => ids.next(Date.now())),
  },
});
const env = { TETHER_URL: `http://127.0.0.1:${gateway.port}`, TETHER_API_TOKEN: TOKEN };

t.test('create, list, revoke: the whole way', async (t) => {
  t.equal(await listTokens({}, env), 'no tokens\n');
  const args = ['--client', 'acme', '--scopes', 'uploads:read, uploads:write', '--note', '-- nightly'];
  const made = await spawnCli(['tokens', 'create', ...args], env);
  t.match(made, {
    code: 0,
    stdout: /^tether_[\w-]{43}\n$/,
    stderr: /^tether: token [0-9a-f-]{36} of acme, valid until it is revoked; nothing shows it again\n$/,
  });
  const client = await authenticator.authenticate(`Bearer ${made.stdout.trim()}`);
  t.strictSame(client, { name: 'acme', scopes: new Set(['uploads:read', 'uploads:write']) });

  const { text, hint } = await createToken(
    { client: 'b', scopes: ['operations'], expiresInDays: 1, json: true },
    env,
  );
  t.match(hint, /valid until \d{4}-/);
  const second = JSON.parse(text) as { id: string; token: string };
  t.match(await authenticator.authenticate(`Bearer ${second.token}`), { name: 'b' });

  const list = await spawnCli(['tokens', 'list'], env);
  t.match(list, { code: 0, stderr: '' });
  const [head, first, last] = list.stdout.split('\n');
  t.match(head, /^ID +CLIENT +SCOPES +STATE +CREATED +USED +NOTE$/);
  t.match(first, new RegExp(`^${second.id} +b +operations +valid `));
  t.match(last, /acme +uploads:read,uploads:write +valid .* -- nightly$/);
  t.notMatch(list.stdout, /tether_/);

  t.match(await spawnCli(['tokens', 'revoke', second.id], env), {
    code: 0,
    stdout: `${second.id} of b is revoked; every node knows within 10 s\n`,
  });
  await pool.query(`UPDATE tokens SET expires_at = now() - interval '1 day' WHERE client = 'acme'`);
  const states = (await listTokens({}, env))
    .split('\n')
    .map((line) => / (valid|revoked|expired) /.exec(line)?.[1]);
  t.strictSame(states.slice(1, 3), ['revoked', 'expired']);
  t.match(JSON.parse(await listTokens({ json: true }, env)), [{ id: second.id }, { client: 'acme' }]);
  t.match(JSON.parse(await revokeToken(second.id, { json: true }, env)), { id: second.id });
});

t.test('what the node refuses is said, and shows no token', async (t) => {
  const flags = { client: 'a b', scopes: ['operations'] };
  await t.rejects(createToken(flags, env), { code: 'TETHER_NODE_REQUEST', message: /400 .*look at client/ });
  await t.rejects(createToken({ ...flags, token: 'hunter2' }, env), { message: /401 Unauthorized/ });
  await t.rejects(revokeToken('../status', {}, env), { message: /404/ });
  const wrong = await spawnCli(['tokens', 'list', '--token', 'hunter2'], env);
  t.match(wrong, { code: 1, stdout: '', stderr: /^tether: GET \/api\/tokens: 401 / });
  t.notMatch(wrong.stderr, /hunter2/);
});

t.test('a node that knows the hash alone takes the token, from a file too, and not the hash', async (t) => {
  const { text } = generateToken({ json: true });
  const { token, hash } = JSON.parse(text) as { token: string; hash: string };
  t.match(generateToken({}).text, /^token {2}tether_[\w-]{43}\nhash {3}sha256:[0-9a-f]{64}\n$/);
  const { gateway } = await startTestGateway(t, {
    operations: { token: hash, version: '1.0.0', routes: tokenRoutes(tokens, () => ids.next(Date.now())) },
  });
  const own = { TETHER_URL: `http://127.0.0.1:${gateway.port}`, TETHER_API_TOKEN: hash };
  await t.rejects(listTokens({}, own), {
    message: /is the hash of the token: give the token itself by --token/,
  });
  await t.rejects(listTokens({ token: hash }, own), { message: /401/ });
  const file = join(t.testdir(), 'token');
  writeFileSync(file, `${token}\n`);
  t.type(await listTokens({ token: `file:${file}` }, own), 'string');
  t.type(await listTokens({ token: 'env:OPERATOR' }, { ...own, OPERATOR: token }), 'string');
});
