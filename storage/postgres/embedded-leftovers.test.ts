import { randomInt } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { startEmbeddedPostgres } from './embedded.js';
import { postgresProcesses } from './embedded-leftovers.js';
import { kill, makeTemplate, openDirectory, owner, query, start } from './fixtures/embedded-tools.js';

const preparedDirectory = await makeTemplate(t);

t.test('it does not outlive a killed parent', async (t) => {
  const dataDir = await preparedDirectory(t);
  const { child, started } = owner(t, dataDir);
  const { url } = await started();
  await query(url, 'CREATE TABLE kept AS SELECT 7 AS n');
  await kill(child);
  await until('Postgres is gone', async () => (await postgresProcesses(dataDir)).length === 0);
  const next = await start(t, dataDir);
  t.strictSame(await query(next.url, 'SELECT n FROM kept'), [{ n: 7 }]);
});

t.test('an orphan is stopped before a start', async (t) => {
  const dataDir = await preparedDirectory(t);
  const { child, started } = owner(t, dataDir);
  const { url, pid } = await started();
  await query(url, 'CREATE TABLE kept AS SELECT 8 AS n');
  // Stopped, it cannot act on the signal that its parent's death sends: as an orphan where that signal is missing.
  process.kill(pid, 'SIGSTOP');
  await kill(child);
  const orphans = await postgresProcesses(dataDir);
  t.ok(orphans.some((process) => process.pid === pid));
  const next = await startEmbeddedPostgres({ dataDir, logger: silentLogger, stopMsMax: 500 });
  t.teardown(() => next.stop());
  t.strictSame(await query(next.url, 'SELECT n FROM kept'), [{ n: 8 }]);
  t.not(next.pid, pid);
});

t.test(
  'a kill at any moment of the first start leaves a directory that the next start takes up',
  async (t) => {
    const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
    t.comment(`SEED=${seed}`);
    const dataDir = join(await openDirectory(t), 'postgres');
    for (let round = 0; round < 4; round++) {
      const { child, line } = owner(t, dataDir);
      await line();
      await delay((seed >> (round * 7)) % 400);
      await kill(child);
    }
    const server = await start(t, dataDir);
    t.strictSame(await query(server.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    t.strictSame(await readdir(join(dataDir, '..')), ['postgres']);
  },
);

t.test('a stale pid file is no hindrance, though its pid is alive', async (t) => {
  const dataDir = await preparedDirectory(t);
  const first = await start(t, dataDir);
  const file = await readFile(join(dataDir, 'postmaster.pid'), 'utf8');
  await first.stop();
  await writeFile(join(dataDir, 'postmaster.pid'), file.replace(/^\d+/, String(process.ppid)), {
    mode: 0o600,
  });
  const second = await start(t, dataDir);
  t.strictSame(await query(second.url, 'SELECT 1 AS n'), [{ n: 1 }]);
});
