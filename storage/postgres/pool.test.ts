import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { DependencyCalls } from '../../runtime/measure/dependency-calls.js';
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

t.test(
  'calls are told of: statements, with those that failed, and connections that are not there',
  async (t) => {
    const calls = new DependencyCalls();
    calls.listen();
    t.teardown(() => calls.close());
    const counted = () => {
      const [call] = calls.take();
      const { buckets = [] } = call?.times ?? {};
      const count = buckets.reduce((sum, value, at) => (at % 2 === 1 ? sum + value : sum), 0);
      return [call?.dependency, count, call?.failures];
    };
    await inTransaction(pool, (transaction) => transaction.query('SELECT pg_sleep(0.06)'));
    const [first] = calls.stats();
    t.ok((first?.times.sum ?? 0) >= 0.06, 'it takes as long as it takes');
    t.strictSame(counted(), ['postgres', 3, 0], 'BEGIN, the statement, COMMIT');
    await t.rejects(pool.query('SELECT * FROM nowhere'));
    t.strictSame(counted(), ['postgres', 1, 1]);
    const nowhere = createPool({
      url: 'postgres://me@127.0.0.1:1/none',
      connectionsMax: 1,
      applicationName: 'test',
      logger: silentLogger,
    });
    await t.rejects(nowhere.connect());
    await nowhere.end();
    t.strictSame(counted(), ['postgres', 1, 1]);
  },
);

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

const COPY = 'COPY rows (id, value) FROM STDIN';
const bytes = (text: string) => Buffer.from(text);

t.test('a copy writes rows in its transaction, wherever chunks are cut', async (t) => {
  const rows = Array.from({ length: 5_000 }, (_, n) => `${1_000 + n}\tvalue\\t${'é'.repeat(n % 40)}\n`).join(
    '',
  );
  const all = bytes(rows);
  const cut = function* () {
    for (let at = 0, size = 1; at < all.length; at += size, size = (size * 7) % 4_099)
      yield all.subarray(at, at + size);
  };
  const counts = await inTransaction(pool, async (transaction) => [
    await transaction.copyFrom(COPY, cut()),
    await transaction.copyFrom(COPY, []),
    (await transaction.query('SELECT FROM rows WHERE id >= 1000')).rowCount,
  ]);
  t.strictSame(counts, [5_000, 0, 5_000]);
  const { rows: read } = await pool.query(
    "SELECT value FROM rows WHERE id = 1039 AND value = E'value\\t' || repeat('é', 39)",
  );
  t.equal(read.length, 1);
  await pool.query('DELETE FROM rows WHERE id >= 1000');
});

t.test('a copy that fails leaves nothing, and its connection goes on', async (t) => {
  const total = pool.counts.total;
  const refused = async (chunks: Iterable<Uint8Array>, sql = COPY) => {
    const work = inTransaction(pool, async (transaction) => {
      await transaction.copyFrom(COPY, [bytes('2000\tkept?\n')]);
      await transaction.copyFrom(sql, chunks);
    });
    return work.then(
      () => undefined,
      (error: unknown) => error,
    );
  };
  t.match(await refused([bytes('2001\ta\n2001\tb\n')]), {
    code: 'TETHER_POSTGRES_QUERY',
    sqlstate: '23505',
    constraint: 'rows_pkey',
    retryable: false,
  });
  t.match(await refused([bytes('secret\tx\n')]), {
    code: 'TETHER_POSTGRES_QUERY',
    sqlstate: '22P02',
  });
  t.notMatch(await refused([bytes('secret\tx\n')]), { message: /secret/ });
  t.match(await refused([], 'COPY nowhere FROM STDIN'), { code: 'TETHER_POSTGRES_QUERY', sqlstate: '42P01' });
  const reason = new Error('no more chunks');
  const broken = function* () {
    yield bytes('2002\tx\n'.repeat(100_000));
    throw reason;
  };
  t.equal(await refused(broken()), reason);
  // More than the server takes in before it has found the first row wrong.
  const much = function* () {
    for (let n = 0; n < 200; n++) yield bytes(`x\t${'y'.repeat(65_536)}\n`);
  };
  t.match(await refused(much()), { sqlstate: '22P02' });
  t.notOk((await idsOf()).some((id) => id >= 2_000));
  t.equal(pool.counts.total, total);
  t.equal((await pool.query<{ one: number }>('SELECT 1 AS one')).rows[0]?.one, 1);
});

t.test('an outage in a copy is one', async (t) => {
  const killed = inTransaction(pool, async (transaction) => {
    const { rows } = await transaction.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const chunks = async function* () {
      yield bytes('3001\tx\n');
      await pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
      yield bytes('3002\tx\n');
    };
    await transaction.copyFrom(COPY, chunks());
  });
  await t.rejects(killed, { code: 'TETHER_POSTGRES_UNAVAILABLE' });
  t.notOk((await idsOf()).some((id) => id >= 3_000));
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
