/** What Tether asks of Postgres, asked by way of a pgBouncer that pools by transaction. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import t from 'tap';
import { FencedError } from '../../runtime/errors.js';
import { silentLogger } from '../../runtime/logger.js';
import { loadSnapshotStore } from '../../runtime/stores/store-module.js';
import { until } from '../../runtime/testing/until.js';
import { testDeadLetterStore } from '../dead-letter-contract.js';
import { testReminderStore } from '../reminder-contract.js';
import { testSnapshotStore } from '../snapshot-contract.js';
import { createDeadLetterStore } from './dead-letters.js';
import { startEmbeddedPostgres } from './embedded.js';
import { holdEpochs, raiseEpochs } from './fence.js';
import { postgresSnapshots } from './index.js';
import { migrate } from './migrate.js';
import { migrations } from './migrations/index.js';
import { createPool, inTransaction } from './pool.js';
import { createReminderStore } from './reminders.js';
import { createSnapshotStore } from './snapshots.js';
import { startTestPgBouncer } from './test-pgbouncer.js';

t.setTimeout(60_000);

const bouncer = await startTestPgBouncer(t, { migrated: false });
const { pool, url } = bouncer;

t.test(
  'it pools by transaction: a statement that one connection of the server knows is unknown on the next',
  async (t) => {
    const clients = [0, 1].map(() => new pg.Client({ connectionString: url }));
    for (const client of clients) {
      await client.connect();
      t.teardown(() => client.end());
    }
    const [one, other] = clients;
    if (one === undefined || other === undefined) throw new Error('there are two clients');
    const named = () => one.query({ name: 'a-name', text: 'SELECT $1::int', values: [1] });
    const pidOf = async (client: pg.Client) =>
      (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
    await one.query('BEGIN');
    await named();
    const first = await pidOf(one);
    await one.query('COMMIT');
    await other.query('BEGIN');
    // Whoever is served at once has what was given back last, so the other one holds it now.
    t.equal(await pidOf(other), first);
    await one.query('BEGIN');
    t.not(await pidOf(one), first);
    await t.rejects(named(), { code: '26000' });
    await one.query('ROLLBACK');
    await other.query('ROLLBACK');
  },
);

t.test('nodes that start at once bring the schema up to date once', async (t) => {
  const pools = Array.from({ length: 3 }, () =>
    createPool({ url, connectionsMax: 2, applicationName: 'tether test', logger: silentLogger }),
  );
  t.teardown(() => Promise.all(pools.map((each) => each.end())));
  const results = await Promise.all(pools.map((each) => migrate(each, { logger: silentLogger })));
  t.equal(results.flatMap(({ applied }) => applied).length, migrations.length);
  t.strictSame(await migrate(url, { logger: silentLogger }), { applied: [] });
});

t.test('dead letters', async (t) => {
  t.beforeEach(async () => {
    await pool.query('TRUNCATE dead_letters');
  });
  testDeadLetterStore(t, async (_, now) => createDeadLetterStore(pool, now));
});

t.test('reminders', async (t) => {
  testReminderStore(t, async () => createReminderStore(pool));
});

t.test('snapshots', async (t) => {
  t.beforeEach(async () => {
    await pool.query('TRUNCATE snapshots');
  });
  testSnapshotStore(t, async () => createSnapshotStore(pool));
});

t.test('snapshots by a worker thread', async (t) => {
  testSnapshotStore(t, () => loadSnapshotStore(postgresSnapshots({ databaseUrl: url })));
});

t.test('epochs fence, and a take-over waits for the transaction that holds the old one', async (t) => {
  const log = randomUUID();
  await raiseEpochs(pool, log, 'a', [{ partition: 1, epoch: 1 }]);
  let raising: Promise<unknown> | undefined;
  const order: string[] = [];
  await inTransaction(pool, async (transaction) => {
    await holdEpochs(transaction, log, 'a', [{ partition: 1, epoch: 1 }]);
    raising = raiseEpochs(pool, log, 'a', [{ partition: 1, epoch: 2 }]).then(() => order.push('raised'));
    await until('it stands in line', async () => {
      const { rows } = await bouncer.postgres.pool.query('SELECT FROM pg_locks WHERE NOT granted');
      return rows.length > 0;
    });
    order.push('written');
  });
  await raising;
  t.strictSame(order, ['written', 'raised']);
  await t.rejects(
    inTransaction(pool, (transaction) => holdEpochs(transaction, log, 'a', [{ partition: 1, epoch: 1 }])),
    FencedError,
  );
});

t.test('a copy in its transaction, and the limit of time of that transaction alone', async (t) => {
  await pool.query('CREATE TABLE copied (id integer PRIMARY KEY, value text)');
  const rows = Array.from({ length: 20_000 }, (_, n) => `${n}\tvalue ${n}\n`).join('');
  const copied = () =>
    pool.query<{ n: number }>('SELECT count(*)::int AS n FROM copied').then((result) => result.rows[0]?.n);
  const copy = (text: string, fails = false) =>
    inTransaction(pool, async (transaction) => {
      await transaction.copyFrom('COPY copied FROM STDIN', [Buffer.from(text)]);
      if (fails) throw new Error('changed my mind');
    });
  await t.rejects(copy(rows, true), { message: 'changed my mind' });
  await t.rejects(copy(`${rows}0\ttwice\n`), { code: 'TETHER_POSTGRES_QUERY', sqlstate: '23505' });
  t.equal(await copied(), 0);
  // More at once than the server has connections.
  const parts = Array.from({ length: 6 }, (_, part) =>
    rows
      .split('\n')
      .slice(0, -1)
      .filter((_, n) => n % 6 === part)
      .join('\n'),
  );
  await Promise.all(parts.map((part) => copy(`${part}\n`)));
  t.equal(await copied(), 20_000);

  const hasty = createPool({
    url,
    connectionsMax: 1,
    applicationName: 'hasty',
    logger: silentLogger,
    statementMsMax: 100,
  });
  t.teardown(() => hasty.end());
  await t.rejects(
    inTransaction(hasty, (transaction) => transaction.query('SELECT pg_sleep(10)')),
    { code: 'TETHER_POSTGRES_QUERY', sqlstate: '57014', retryable: true },
  );
  for (let connection = 0; connection < 4; connection++) {
    const { rows } = await pool.query(`SELECT current_setting('statement_timeout') AS ms`);
    t.strictSame(rows, [{ ms: '0' }], 'nobody who gets its connection next has it');
  }
});

t.test('Postgres away behind it, or pgBouncer itself: an outage, and then it serves again', async (t) => {
  const outage = { code: 'TETHER_POSTGRES_UNAVAILABLE', retryable: true };
  const serves = () =>
    pool.query('SELECT 1').then(
      () => true,
      () => false,
    );
  const inUse = inTransaction(pool, async (transaction) => {
    const { rows } = await transaction.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await bouncer.postgres.pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await transaction.query('SELECT 1');
  });
  await t.rejects(inUse, outage, 'the connection of the server is lost');
  await until('it serves again', serves);

  await bouncer.kill();
  await t.rejects(
    inTransaction(pool, (transaction) => transaction.query('SELECT 1')),
    outage,
    'pgBouncer is gone',
  );
  await bouncer.start();
  await until('it serves again', serves);

  const { server, dataDir, url: past } = bouncer.postgres;
  await server.stop();
  await t.rejects(
    inTransaction(pool, (transaction) => transaction.query('SELECT 1')),
    outage,
    'Postgres is gone',
  );
  const port = Number(new URL(past).port);
  const again = await startEmbeddedPostgres({ dataDir, port, logger: silentLogger });
  t.teardown(() => again.stop());
  await until('it serves again', serves);
});
