/** Whether the doctor sees in which form IBANs stand, and says when they are in plain text. */
import t from 'tap';
import { convertTable, IbanKeys } from '../../actors/ibans/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { ibanChecks } from './ibans.js';
import { secretChecks } from './secrets.js';
import { checkOf, find } from './test/find.js';

const encryption = checkOf(ibanChecks, 'iban-encryption');
const key = (id: string, byte: number) =>
  `${id}:${Buffer.from(Array.from({ length: 32 }, (_, n) => byte * n)).toString('base64')}`;
const [A, B] = [key('a', 3), key('b', 5)];

t.test('no key', async (t) => {
  t.match(await find(encryption, {}, { mode: 'start' }), {
    outcome: 'failed',
    found: /stored in plain text/,
    advice: /encrypt-ibans/,
  });
  t.match(await find(encryption, {}, { mode: 'up' }), { outcome: 'warning', found: /plain text/ });
  t.match(await find(encryption, { TETHER_HOST: '0.0.0.0' }, { mode: 'up' }), { outcome: 'failed' });
  t.match(await find(encryption, { TETHER_IBAN_KEYS: 'a:x' }, { mode: 'start' }), { outcome: 'skipped' });
  t.match(await find(encryption, { TETHER_IBAN_KEYS: A }), { outcome: 'ok' });
});

t.test('a key that can be guessed', async (t) => {
  const weak = `a:${Buffer.alloc(32).toString('base64')}`;
  t.match(
    await find(checkOf(secretChecks, 'secret-strength'), { TETHER_IBAN_KEYS: weak }, { mode: 'start' }),
    {
      outcome: 'failed',
      found: /key a of TETHER_IBAN_KEYS has fewer than 5 different/,
    },
  );
});

t.test('what the tables have', async (t) => {
  const { url, pool } = await startTestPostgres(t);
  await pool.query('CREATE DATABASE empty');
  const empty = new URL(url);
  empty.pathname = '/empty';
  const check = (keys: string, database = url) =>
    find(encryption, { TETHER_IBAN_KEYS: keys, TETHER_DATABASE_URL: database }, { mode: 'start' });
  const seal = async (text: string) => {
    const keys = IbanKeys.parse(text);
    if (keys === undefined) throw new Error('no keys');
    await convertTable(pool, 'debtors', { keys, to: 'sealed', signal: new AbortController().signal });
  };
  t.match(await check(A, empty.href), { outcome: 'ok', found: /no tables/ });
  t.match(await check(A), { outcome: 'ok', found: /^a encrypts; no row is in plain text/ });
  await pool.query(`INSERT INTO debtors (owner, iban) VALUES ('acme', 'DE02120300000000202051')`);
  t.match(await check(A), {
    outcome: 'warning',
    found: /some rows are in plain text/,
    advice: 'tether ibans seal',
  });
  const gateway = { TETHER_ROLE: 'gateway', TETHER_REDIS_URL: 'redis://192.0.2.1', TETHER_DATABASE_URL: url };
  t.match(await find(encryption, gateway, { mode: 'start' }), { outcome: 'failed', found: /in plain text/ });
  await seal(A);
  t.match(await find(encryption, gateway, { mode: 'start' }), { outcome: 'skipped' }, 'it needs no key');
  t.match(await check(A), { outcome: 'ok' });
  t.match(await check(`${B},${A}`), {
    outcome: 'warning',
    found: /^b encrypts, 1 more decrypt; .*an older one/,
  });
  t.match(await check(B), { outcome: 'failed', found: /a key that is not there/ });
});
