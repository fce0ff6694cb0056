import t, { type Test } from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { migrate } from './migrate.js';
import { migrations } from './migrations/index.js';
import { createPool, type Pool } from './pool.js';
import { startTestPostgres } from './test-server.js';

const { pool: admin, url } = await startTestPostgres(t, { migrated: false });
const logger = silentLogger;
let databases = 0;

/** Pools on a new, empty database. */
async function emptyDatabase(t: Test, pools: number): Promise<readonly Pool[]> {
  const name = `empty_${++databases}`;
  await admin.query(`CREATE DATABASE ${name}`);
  const target = new URL(url);
  target.pathname = `/${name}`;
  return Array.from({ length: pools }, () => {
    const pool = createPool({ url: target.href, connectionsMax: 2, applicationName: 'test', logger });
    t.teardown(() => pool.end());
    return pool;
  });
}

const one = { version: 1, name: 'one', sql: 'CREATE TABLE one (n integer)' };
const two = {
  version: 2,
  name: 'two',
  sql: 'ALTER TABLE one ADD COLUMN m integer; INSERT INTO one VALUES (1, 2)',
};

t.test('the released migrations apply once, in order', async (t) => {
  const { applied } = await migrate(url, { logger });
  t.strictSame(
    applied,
    migrations.map(({ version, name }) => `${String(version).padStart(4, '0')}-${name}`),
  );
  t.strictSame(await migrate(url, { logger }), { applied: [] });
  const { rows } = await admin.query('SELECT version, name FROM tether_migrations ORDER BY version');
  t.strictSame(
    rows,
    migrations.map(({ version, name }) => ({ version, name })),
  );
});

t.test('nodes that start at once apply each migration once', async (t) => {
  const pools = await emptyDatabase(t, 4);
  const results = await Promise.all(pools.map((pool) => migrate(pool, { logger, migrations: [one, two] })));
  t.strictSame(results.flatMap(({ applied }) => applied).sort(), ['0001-one', '0002-two']);
  t.strictSame((await pools[0]?.query('SELECT * FROM one'))?.rows, [{ n: 1, m: 2 }]);
});

t.test('a migration that fails leaves nothing of itself, and those before it stay', async (t) => {
  const [pool] = await emptyDatabase(t, 1);
  if (pool === undefined) throw new Error('a pool was made');
  const broken = { ...two, sql: 'CREATE TABLE half (n integer); SELECT * FROM nowhere' };
  await t.rejects(migrate(pool, { logger, migrations: [one, broken] }), {
    code: 'TETHER_POSTGRES_QUERY',
    message: /42P01/,
  });
  t.strictSame(
    (await pool.query(`SELECT to_regclass('half') AS half, to_regclass('one')::text AS one`)).rows,
    [{ half: null, one: 'one' }],
  );
  t.strictSame(await migrate(pool, { logger, migrations: [one, two] }), { applied: ['0002-two'] });
});

t.test('a changed or unknown migration stops before anything is changed', async (t) => {
  const [pool] = await emptyDatabase(t, 1);
  if (pool === undefined) throw new Error('a pool was made');
  await migrate(pool, { logger, migrations: [one] });
  const changed = { ...one, sql: 'CREATE TABLE one (n bigint)' };
  await t.rejects(migrate(pool, { logger, migrations: [changed, two] }), {
    code: 'TETHER_MIGRATION_CHANGED',
  });
  const indented = { ...one, sql: '\n  CREATE TABLE one\n    (n integer)  ' };
  t.strictSame(await migrate(pool, { logger, migrations: [indented, two] }), { applied: ['0002-two'] });
  await t.rejects(migrate(pool, { logger, migrations: [one] }), { code: 'TETHER_SCHEMA_NEWER' });
  await t.rejects(migrate(pool, { logger, migrations: [two] }), TypeError);
});
