/** With real servers: a Postgres of the test's own, with and without a password, and a pgBouncer before it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { createPool } from '../../storage/postgres/index.js';
import { startTestPgBouncer } from '../../storage/postgres/test-pgbouncer.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { freePort } from '../../storage/test-free-port.js';
import { postgresChecks } from './postgres.js';
import { checkOf, find } from './test/find.js';

const check = (id: string, url: string, env: Record<string, string> = {}) =>
  find(checkOf(postgresChecks, id), { TETHER_DATABASE_URL: url, ...env });

t.test('Postgres', async (t) => {
  const { url, pool, dataDir } = await startTestPostgres(t);
  /** A user with few rights, and a database of its own. */
  const urlAs = (user: string, password: string, database = 'tether') => {
    const other = new URL(url);
    other.username = user;
    other.password = password;
    other.pathname = `/${database}`;
    return other.href;
  };

  t.test('as a node wants it', async (t) => {
    t.match(await check('postgres-reach', url), { outcome: 'ok', found: /^127\.0\.0\.1:\d+: version 18/ });
    t.match(await check('postgres-auth', url), { outcome: 'ok', found: /wrong password is refused/ });
    t.match(await check('postgres-bind', url), { outcome: 'ok', found: /listen_addresses 127\.0\.0\.1/ });
    t.match(await check('postgres-tls', url), { outcome: 'ok', found: /this machine alone/ });
    t.match(await check('postgres-pool', url), { outcome: 'ok', found: /no pgBouncer/ });
    t.match(await check('postgres-schema', url), { outcome: 'ok', found: /all \d+ migrations/ });
    t.match(await check('postgres-rights', url), { outcome: 'warning', found: /superuser/ });
    t.match(await check('postgres-durability', url), { outcome: 'ok', found: /fsync on/ });
  });

  t.test('a user with too few rights', async (t) => {
    await pool.query("CREATE ROLE few LOGIN PASSWORD 'few-and-far-between'");
    const few = urlAs('few', 'few-and-far-between');
    t.match(await check('postgres-rights', few), {
      outcome: 'failed',
      found: /few may not use .*payments/,
      advice: /GRANT SELECT/,
    });
    t.match(await check('postgres-schema', few), { outcome: 'failed', advice: /postgres-rights/ });
    await pool.query('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO few');
    t.match(await check('postgres-rights', few), { outcome: 'warning', found: /needs none now/ });
    t.match(await check('postgres-auth', few), { outcome: 'ok' }, 'it may not see pg_hba.conf');
    await pool.query('GRANT CREATE ON SCHEMA public TO few');
    t.match(await check('postgres-rights', few), { outcome: 'ok' });
    await pool.query('ALTER ROLE few SET default_transaction_read_only = on');
    t.match(await check('postgres-durability', few), { outcome: 'failed', found: /read_only/ });
    await pool.query('ALTER ROLE few RESET ALL');
    await pool.query('ALTER ROLE few SET synchronous_commit = off');
    t.match(await check('postgres-durability', few), { outcome: 'failed', found: /synchronous_commit off/ });
  });

  t.test('the schema: not there, older, newer, changed', async (t) => {
    await pool.query('CREATE DATABASE fresh');
    const fresh = new URL(url);
    fresh.pathname = '/fresh';
    t.match(await check('postgres-schema', fresh.href), { outcome: 'warning', found: /no tables yet/ });
    t.match(
      await find(checkOf(postgresChecks, 'postgres-schema'), { TETHER_DATABASE_URL: fresh.href }),
      { outcome: 'warning' },
      'and the first look made none',
    );
    const { rows } = await pool.query<{ version: number; name: string; checksum: string }>(
      'DELETE FROM tether_migrations WHERE version = (SELECT max(version) FROM tether_migrations) RETURNING *',
    );
    const [last] = rows;
    t.match(await check('postgres-schema', url), { outcome: 'warning', found: /1 of \d+ migrations/ });
    const put = (version: unknown, checksum: unknown) =>
      pool.query('INSERT INTO tether_migrations (version, name, checksum) VALUES ($1, $2, $3)', [
        version,
        last?.name,
        checksum,
      ]);
    await put(last?.version, 'other');
    t.match(await check('postgres-schema', url), { outcome: 'failed', found: /another text/ });
    await pool.query('DELETE FROM tether_migrations WHERE version = $1', [last?.version]);
    await put(last?.version, last?.checksum);
    await put(9_999, 'x');
    t.match(await check('postgres-schema', url), { outcome: 'failed', found: /9999/ });
    await pool.query('UPDATE tether_migrations SET readable_from = $1 WHERE version = 9999', [last?.version]);
    t.match(await check('postgres-schema', url), { outcome: 'ok' }, 'a later release has added something');
    await pool.query('DELETE FROM tether_migrations WHERE version = 9999');
  });

  t.test('a password that is not asked for', async (t) => {
    const file = join(dataDir, 'pg_hba.conf');
    const before = await readFile(file, 'utf8');
    const reload = async (text: string) => {
      await writeFile(file, text);
      await pool.query('SELECT pg_reload_conf()');
    };
    t.teardown(() => reload(before));
    await reload(`${before}\nhost all nobody 192.0.2.0/24 trust\n`);
    await untilOutcome('warning', () => check('postgres-auth', url));
    t.match(await check('postgres-auth', url), {
      outcome: 'warning',
      found: /trusts others: .*192\.0\.2\.0/,
    });
    await reload('host all all 127.0.0.1/32 trust\n');
    await untilOutcome('failed', () => check('postgres-auth', url));
    t.match(await check('postgres-auth', url), { outcome: 'failed', advice: /scram-sha-256/ });
  });

  t.test('not there, a wrong password, no such database, nothing set', async (t) => {
    t.match(await check('postgres-reach', urlAs('few', 'wrong')), {
      outcome: 'failed',
      found: /28P01/,
      advice: /user and password/,
    });
    t.match(await check('postgres-schema', urlAs('few', 'wrong')), {
      outcome: 'skipped',
      found: /postgres-reach/,
    });
    const { username, password } = new URL(url);
    t.match(await check('postgres-reach', urlAs(username, password, 'nowhere')), {
      outcome: 'failed',
      advice: /make the database/,
    });
    const away = `postgres://a:b@127.0.0.1:${await freePort()}/x`;
    t.match(await check('postgres-reach', away), { outcome: 'failed', found: /ECONNREFUSED/ });
    t.match(await check('postgres-auth', away), { outcome: 'skipped' }, 'nobody refused it');
    const reach = checkOf(postgresChecks, 'postgres-reach');
    t.match(await find(reach, {}), { outcome: 'skipped', found: /`tether up`/ });
    t.match(await find(reach, { TETHER_DATABASE_URL: 'mysql://x' }), {
      outcome: 'skipped',
      found: /refused/,
    });
  });

  t.test('TLS, as the URL has it', async (t) => {
    t.match(await check('postgres-tls', 'postgres://a:b@192.0.2.1/x'), {
      outcome: 'warning',
      advice: /verify-full/,
    });
    const more = (text: string) => check('postgres-tls', `postgres://a:b@192.0.2.1/x?${text}`);
    t.match(await more('sslmode=verify-full'), { outcome: 'ok' });
    t.match(await more('sslmode=no-verify'), { outcome: 'warning', found: /certificate/ });
    t.match(await more('sslmode=disable'), { outcome: 'warning' });
    t.match(await check('postgres-tls', 'postgres://a:b@192.0.2.1/x', { PGSSLMODE: 'require' }), {
      outcome: 'ok',
    });
  });
});

t.test('pgBouncer', async (t) => {
  const { url } = await startTestPgBouncer(t);
  const console = async (statement: string) => {
    const own = new URL(url);
    own.pathname = '/pgbouncer';
    const admin = createPool({
      url: own.href,
      connectionsMax: 1,
      applicationName: 'test',
      logger: silentLogger,
    });
    await admin.query(statement);
    await admin.end();
  };
  t.match(await check('postgres-pool', url), {
    outcome: 'ok',
    found: /PgBouncer [\d.]+: pool_mode transaction, 2 connections; a transaction with a parameter works/,
  });
  t.match(await check('postgres-auth', url), { outcome: 'ok' });
  t.match(await check('postgres-reach', url), { outcome: 'ok', found: /version 18/ });

  await console("SET pool_mode='session'");
  t.match(await check('postgres-pool', url), { outcome: 'warning', found: /pool_mode session/ });
  await console("SET pool_mode='statement'");
  t.match(await check('postgres-pool', url), { outcome: 'failed', advice: /pool_mode = transaction/ });
  await console("SET admin_users='nobody'");
  t.match(await check('postgres-pool', url), {
    outcome: 'failed',
    found: /may not see; a transaction is not possible: .*statement pooling/,
  });
});

async function untilOutcome(
  outcome: string,
  look: () => Promise<{ readonly outcome: string }>,
): Promise<void> {
  await until(`the check says ${outcome}`, async () => (await look()).outcome === outcome);
}
