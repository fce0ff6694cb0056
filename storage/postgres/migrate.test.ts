import t, { type Test } from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { migrate, readPending } from './migrate.js';
import { migrations } from './migrations/index.js';
import { createPool, inTransaction, type Pool } from './pool.js';
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

t.test('a release runs on what later ones have added, and not on what they have taken away', async (t) => {
  const [pool] = await emptyDatabase(t, 1);
  if (pool === undefined) throw new Error('a pool was made');
  const added = { ...two, readableFrom: 1 };
  const addedToo = { version: 3, name: 'three', sql: 'CREATE TABLE three (n integer)', readableFrom: 2 };
  await migrate(pool, { logger, migrations: [one, added] });
  t.strictSame(await migrate(pool, { logger, migrations: [one] }), { applied: [] });
  await migrate(pool, { logger, migrations: [one, added, addedToo] });
  t.strictSame(await migrate(pool, { logger, migrations: [one, added] }), { applied: [] });
  await t.rejects(migrate(pool, { logger, migrations: [one] }), { code: 'TETHER_SCHEMA_NEWER' });
});

t.test('the table of a release that did not say what can run on it is brought up to date', async (t) => {
  const [pool] = await emptyDatabase(t, 1);
  if (pool === undefined) throw new Error('a pool was made');
  await migrate(pool, { logger, migrations: [one] });
  await pool.query('ALTER TABLE tether_migrations DROP COLUMN readable_from');
  await inTransaction(pool, async (transaction) =>
    t.strictSame(await readPending(transaction, [one, two]), [two], 'who only looks'),
  );
  await t.rejects(
    inTransaction(pool, (transaction) => readPending(transaction, [])),
    {
      code: 'TETHER_SCHEMA_NEWER',
    },
  );
  t.strictSame(await migrate(pool, { logger, migrations: [one, two] }), { applied: ['0002-two'] });
  const { rows } = await pool.query('SELECT version, readable_from FROM tether_migrations ORDER BY version');
  t.strictSame(rows, [
    { version: 1, readable_from: null },
    { version: 2, readable_from: 2 },
  ]);
});

/** Tables and columns that go, or are no more what they were. What an index or a check forbids, the statements of the release before show. */
function takesAway(sql: string): boolean {
  const statements = sql
    .replaceAll(/--.*$/gm, '')
    .replaceAll(/\bALTER COLUMN \w+ (?:DROP NOT NULL|SET DEFAULT)\b/gi, '')
    .replaceAll(/\bDROP INDEX\b|\bALTER INDEX \w+ RENAME\b/gi, '');
  return /\bDROP\b|\bRENAME\b|\bALTER COLUMN\b|\bTRUNCATE\b|\bDELETE\b|\bREVOKE\b|ADD COLUMN (?:IF NOT EXISTS )?\w+ [^,;]*NOT NULL(?![^,;]*DEFAULT)/i.test(
    statements,
  );
}

t.test('a migration that releases before it run on takes nothing away', async (t) => {
  for (const { name, sql, version, readableFrom = version } of migrations) {
    t.ok(readableFrom >= 1 && readableFrom <= version, name);
    if (readableFrom < version) t.notOk(takesAway(sql), name);
  }
  for (const sql of [
    'ALTER TABLE a DROP COLUMN b',
    'ALTER TABLE a ADD COLUMN b integer NOT NULL',
    'ALTER TABLE a RENAME b TO c',
    'ALTER TABLE a ALTER COLUMN b SET NOT NULL',
    'DROP INDEX a; DROP TABLE b',
  ])
    t.ok(takesAway(sql), sql);
  for (const sql of [
    'ALTER TABLE a ADD COLUMN b integer',
    "ALTER TABLE a ADD COLUMN b text NOT NULL DEFAULT ''",
    'ALTER TABLE a ALTER COLUMN b DROP NOT NULL, ADD COLUMN c integer; DROP INDEX d; ALTER INDEX e RENAME TO d',
  ])
    t.notOk(takesAway(sql), sql);
});
