import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import { Tokens } from '../../storage/postgres/index.js';
import { createPool } from '../../storage/postgres/pool.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { CACHE_MS, CACHED_MAX, QUERIES_MAX, TokenAuthenticator, type TokenLookup } from './authenticator.js';
import { BOOTSTRAP_CLIENT } from './client.js';
import { hashedForm, hashToken, isHashedToken, makeToken, OperatorToken } from './token.js';

const { pool, url } = await startTestPostgres(t);
const tokens = new Tokens(pool);
const ids = new MessageIdSource();
const BOOTSTRAP = 'bootstrap-token-of-the-operator';

async function make(scopes = ['uploads:read'], expiresInDays?: number) {
  const token = makeToken();
  const id = ids.next(Date.now());
  const days = expiresInDays === undefined ? {} : { expiresInDays };
  await tokens.create({ id, client: 'acme', note: '', hash: hashToken(token), scopes, ...days });
  return { id, token };
}

/** With a clock that the test moves, on the real table; what is asked of it is counted. */
function start(lookup: TokenLookup = tokens) {
  const asked = { find: 0, used: 0 };
  const clock = { ms: Date.now() };
  const authenticator = new TokenAuthenticator({
    bootstrapToken: BOOTSTRAP,
    tokens: {
      find: (hash) => {
        asked.find++;
        return lookup.find(hash);
      },
      used: (id) => {
        asked.used++;
        return lookup.used(id);
      },
    },
    logger: silentLogger,
    now: () => clock.ms,
  });
  return {
    asked,
    clock,
    ask: (token: string) => authenticator.authenticate(`Bearer ${token}`),
    authenticator,
  };
}

t.test('a token has its form', async (t) => {
  t.match(makeToken(), /^tether_[A-Za-z0-9_-]{43}$/);
  t.not(makeToken(), makeToken());
});

t.test(
  'a token is its client with its scopes, and nothing that has not its form costs a query',
  async (t) => {
    const { ask, asked, authenticator } = start();
    const { token } = await make(['uploads:read', 'uploads:all', 'of:the-future']);
    t.strictSame(await ask(token), { name: 'acme', scopes: new Set(['uploads:read', 'uploads:all']) });
    t.equal(await ask(BOOTSTRAP), BOOTSTRAP_CLIENT);
    t.strictSame(await authenticator.authenticate(`bearer   ${BOOTSTRAP}`), BOOTSTRAP_CLIENT);
    const found = asked.find;
    for (const junk of [
      '',
      'x',
      `${token}x`,
      token.slice(0, -1),
      token.toUpperCase(),
      token.replace('_', ' '),
    ]) {
      t.equal(await ask(junk), undefined, junk);
    }
    for (const header of ['', token, `Basic ${token}`, `Bearer ${token} x`, `Bearer${BOOTSTRAP}`]) {
      t.equal(await authenticator.authenticate(header), undefined, header);
    }
    t.equal(asked.find, found, 'no query');
    t.equal(await ask(makeToken()), undefined, 'of the form, and nobody has it');
    t.equal(asked.find, found + 1);
  },
);

t.test('the operators’ token may be known by its hash alone, which opens nothing itself', async (t) => {
  const token = makeToken();
  const hash = hashedForm(token);
  t.ok(isHashedToken(hash));
  for (const other of [hash.toUpperCase(), hash.slice(0, -1), `${hash}0`, hash.slice(7), token]) {
    t.notOk(isHashedToken(other), other);
  }
  for (let byte = 0; byte < 32; byte++) {
    const near = hashToken(token);
    near[byte] = (near[byte] ?? 0) ^ 1;
    if (new OperatorToken(hash).equals(near)) t.fail(`byte ${byte} does not count`);
  }
  t.notOk(new OperatorToken('').equals(hashToken('')), 'none is none');
  const made = (bootstrapToken: string) =>
    new TokenAuthenticator({ bootstrapToken, tokens, logger: silentLogger, now: Date.now });
  for (const configured of [hash, token]) {
    const authenticator = made(configured);
    t.equal(await authenticator.authenticate(`Bearer ${token}`), BOOTSTRAP_CLIENT);
    for (const sent of [hash, hash.slice(7), `${token.slice(0, -1)}_`, makeToken()]) {
      t.equal(await authenticator.authenticate(`Bearer ${sent}`), undefined, sent);
    }
  }
});

t.test('without a bootstrap token an empty one is none', async (t) => {
  const authenticator = new TokenAuthenticator({
    bootstrapToken: '',
    tokens,
    logger: silentLogger,
    now: Date.now,
  });
  for (const header of ['', 'Bearer', 'Bearer ']) {
    t.equal(await authenticator.authenticate(header), undefined);
  }
});

t.test('many requests at once cost one query, and later ones none', async (t) => {
  const { ask, asked, clock } = start();
  const { token } = await make();
  const other = makeToken();
  await Promise.all(Array.from({ length: 100 }, () => Promise.all([ask(token), ask(other)])));
  t.equal(asked.find, 2);
  clock.ms += CACHE_MS - 1;
  await Promise.all([ask(token), ask(other)]);
  t.equal(asked.find, 2, 'within the time');
  clock.ms += 1;
  await Promise.all([ask(token), ask(other)]);
  t.equal(asked.find, 4, 'after it');
});

t.test('a revocation counts in time, an expiry at once', async (t) => {
  const { ask, clock } = start();
  const { id, token } = await make();
  t.ok(await ask(token));
  await tokens.revoke(id);
  clock.ms += CACHE_MS;
  t.equal(await ask(token), undefined);

  const { id: soon, token: expiring } = await make(['uploads:read'], 1);
  await pool.query(`UPDATE tokens SET expires_at = now() + interval '5 seconds' WHERE id = $1`, [soon]);
  t.ok(await ask(expiring));
  await pool.query('UPDATE tokens SET expires_at = now() WHERE id = $1', [soon]);
  clock.ms = Date.now() + 5001;
  t.equal(await ask(expiring), undefined, 'though it is remembered');
});

t.test('its use is noted once a minute', async (t) => {
  const { ask, asked, clock } = start();
  const { token } = await make();
  await ask(token);
  const deadline = Date.now() + 5000;
  while ((await tokens.find(hashToken(token)))?.usedAt === undefined && Date.now() < deadline);
  clock.ms += CACHE_MS;
  await ask(token);
  t.equal(asked.used, 1, 'not again');
  clock.ms += 60_000;
  await ask(token);
  t.equal(asked.used, 2);
});

t.test('a flood of tokens that nobody has pushes no valid one out, and is bounded', async (t) => {
  const { token } = await make();
  const isToken = (hash: Uint8Array) => hashToken(token).equals(hash);
  const { ask, asked } = start({
    find: async (hash) => (isToken(hash) ? tokens.find(hash) : undefined),
    used: async () => {},
  });
  await ask(token);
  for (let i = 0; i < CACHED_MAX + 10; i++) await ask(makeToken());
  const before = asked.find;
  t.ok(await ask(token));
  t.equal(asked.find, before);

  const many = await Promise.allSettled(Array.from({ length: QUERIES_MAX + 5 }, () => ask(makeToken())));
  const refused = many.filter(({ status }) => status === 'rejected');
  t.equal(refused.length, 5);
  t.match(refused[0], { reason: { code: 'TETHER_AUTHENTICATION_BUSY', outage: true } });
  t.equal(await ask(makeToken()), undefined, 'and it goes on');
});

t.test(
  'Postgres away: the bootstrap token works, what is remembered works, the rest is an outage',
  async (t) => {
    const own = createPool({ url, connectionsMax: 1, applicationName: 'tether test', logger: silentLogger });
    const { ask, clock } = start(new Tokens(own));
    const { token } = await make();
    t.ok(await ask(token));
    await own.end();
    t.ok(await ask(token));
    t.ok(await ask(BOOTSTRAP));
    clock.ms += CACHE_MS;
    await t.rejects(ask(token), { code: 'TETHER_POSTGRES_UNAVAILABLE' });
    await t.rejects(ask(makeToken()), { code: 'TETHER_POSTGRES_UNAVAILABLE' });
    t.ok(await ask(BOOTSTRAP));
  },
);
