import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { startEmbeddedPostgres } from './embedded.js';
import { createPool, inTransaction } from './pool.js';
import { startTestPostgres } from './test-server.js';

const { pool, server, dataDir, url } = await startTestPostgres(t, { migrated: false });
await pool.query('CREATE TABLE rows (id integer PRIMARY KEY, value text)');

const idsOf = async () =>
  (await pool.query<{ id: number }>('SELECT id FROM rows ORDER BY id')).rows.map(({ id }) => id);

t.test('a transaction commits what its function did, and returns its value', async (t) => {
  const value = await inTransaction(pool, async (transaction) => {
    await transaction.query('INSERT INTO rows VALUES ($1, $2)', [1, 'one']);
    return 'done';
  });
  t.equal(value, 'done');
  t.strictSame(await idsOf(), [1]);
});

t.test('a transaction whose function throws leaves nothing, and its connection goes on', async (t) => {
  const reason = new Error('changed my mind');
  const work = inTransaction(pool, async (transaction) => {
    await transaction.query("INSERT INTO rows VALUES (2, 'two')");
    throw reason;
  });
  await t.rejects(work, reason);
  t.strictSame(await idsOf(), [1]);
  t.equal(pool.counts.total, 1);
});

t.test('an error that the function swallowed is not taken for a commit', async (t) => {
  const work = inTransaction(pool, async (transaction) => {
    await transaction.query("INSERT INTO rows VALUES (3, 'three')");
    await transaction.query('SELECT 1/0').catch(() => undefined);
  });
  await t.rejects(work, { code: 'TETHER_POSTGRES_QUERY', sqlstate: '25P02' });
  t.strictSame(await idsOf(), [1]);
});

t.test('statement errors are classified', async (t) => {
  const insert = () =>
    inTransaction(pool, (transaction) => transaction.query("INSERT INTO rows VALUES (1, 'x')"));
  await t.rejects(insert(), { code: 'TETHER_POSTGRES_QUERY', sqlstate: '23505', constraint: 'rows_pkey' });
  await t.rejects(pool.query('SELECT * FROM nowhere'), { code: 'TETHER_POSTGRES_QUERY', sqlstate: '42P01' });
});

t.test('a deadlock is a conflict for one of two, and the other commits', async (t) => {
  await pool.query("INSERT INTO rows VALUES (10, ''), (11, '')");
  let arrived = 0;
  let bothHold: () => void = () => undefined;
  const both = new Promise<void>((resolve) => {
    bothHold = resolve;
  });
  const update = (first: number, second: number) =>
    inTransaction(pool, async (transaction) => {
      await transaction.query("UPDATE rows SET value = 'u' WHERE id = $1", [first]);
      arrived += 1;
      if (arrived === 2) bothHold();
      await both;
      await transaction.query("UPDATE rows SET value = 'u' WHERE id = $1", [second]);
    });
  const results = await Promise.allSettled([update(10, 11), update(11, 10)]);
  t.strictSame(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  t.match(
    results.find((result) => result.status === 'rejected'),
    { reason: { code: 'TETHER_POSTGRES_CONFLICT', sqlstate: '40P01' } },
  );
});

t.test('limits of time', async (t) => {
  const hasty = createPool({
    url,
    connectionsMax: 1,
    applicationName: 'hasty',
    logger: silentLogger,
    statementMsMax: 100,
    connectMsMax: 200,
  });
  t.teardown(() => hasty.end());
  await t.rejects(
    inTransaction(hasty, (transaction) => transaction.query('SELECT pg_sleep(10)')),
    { code: 'TETHER_POSTGRES_QUERY', sqlstate: '57014', retryable: true },
    'a slow statement',
  );
  const limit = (await hasty.query<{ limit: string }>(`SELECT current_setting('statement_timeout') AS limit`))
    .rows;
  t.strictSame(limit, [{ limit: '0' }], 'nothing of it is left in the session');
  const lent = await hasty.connect();
  await t.rejects(hasty.query('SELECT 1'), { code: 'TETHER_POSTGRES_UNAVAILABLE' }, 'no free connection');
  lent.release(false);
  t.ok(await hasty.query('SELECT 1'));
});

t.test('a terminated backend is an outage for its transaction alone', async (t) => {
  const work = inTransaction(pool, async (transaction) => {
    await transaction.query("INSERT INTO rows VALUES (20, '')");
    await transaction.query('SELECT pg_terminate_backend(pg_backend_pid())');
  });
  await t.rejects(work, { code: 'TETHER_POSTGRES_UNAVAILABLE' });
  t.notOk((await idsOf()).includes(20));
});

t.test('a server that stops in use is an outage, and the pool serves again when it is back', async (t) => {
  let inside: () => void = () => undefined;
  const entered = new Promise<void>((resolve) => {
    inside = resolve;
  });
  const work = inTransaction(pool, async (transaction) => {
    await transaction.query("INSERT INTO rows VALUES (30, '')");
    inside();
    await transaction.query('SELECT pg_sleep(30)');
  });
  const rejected = t.rejects(work, { code: 'TETHER_POSTGRES_UNAVAILABLE', retryable: true });
  await entered;
  await server.stop();
  await rejected;
  await t.rejects(pool.query('SELECT 1'), { code: 'TETHER_POSTGRES_UNAVAILABLE' });
  const refused = await inTransaction(pool, (transaction) => transaction.query('SELECT 1')).catch(
    (error) => error,
  );
  t.match(refused, { code: 'TETHER_POSTGRES_UNAVAILABLE', reason: 'ECONNREFUSED' });
  t.notOk(`${refused.stack}${JSON.stringify(refused)}`.includes(new URL(url).password), 'no password in it');

  // The pool goes to the port that the server had.
  const { port } = new URL(url);
  const again = await startEmbeddedPostgres({ dataDir, logger: silentLogger, port: Number(port) });
  t.teardown(() => again.stop());
  t.notOk((await idsOf()).includes(30), 'what was not committed is not there');
  t.ok((await idsOf()).includes(1));
});
