import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { PostgresPart } from './postgres-part.js';

t.setTimeout(60_000);

t.test('killed, it is told and started again on its port, with its data', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tether-postgres-part-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const told: string[] = [];
  const pidFile = join(directory, 'pid');
  const part = new PostgresPart({
    dataDir: join(directory, 'postgres'),
    logFile: join(directory, 'log'),
    pidFile,
    tell: (line) => told.push(line),
  });
  t.teardown(() => part.stop());
  await part.start();
  const { url, pid } = part;
  t.equal(Number(await readFile(pidFile, 'utf8')), pid);
  const query = async (sql: string) => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query(sql);
    await client.end();
    return rows as readonly object[];
  };
  await query('CREATE TABLE kept AS SELECT 1 AS n');
  process.kill(pid ?? 0, 'SIGKILL');
  await until('it is up again', () => told.length === 2, 30_000);
  t.match(told, [
    /^postgres \(pid \d+\): Postgres ended with SIGKILL; it is started again in 2 s$/,
    `postgres is up again, pid ${part.pid}`,
  ]);
  t.not(part.pid, pid);
  t.equal(part.url, url);
  t.strictSame(await query('SELECT n FROM kept'), [{ n: 1 }]);
  await Promise.all([part.stop(), part.stop()]);
  t.equal(part.pid, undefined);
  t.equal(told.length, 2, 'an end that was asked for is not told');
  await t.rejects(readFile(pidFile), { code: 'ENOENT' });
});
