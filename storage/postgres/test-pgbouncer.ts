/**
 * A pgBouncer for tests: Debian's package, in transaction mode, before a Postgres of the test's own.
 *
 * It gets two connections of the server, fewer than its clients have, so that what is left behind in a session meets somebody else.
 * A missing program fails the test.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { freePort } from '../test-free-port.js';
import { migrate } from './migrate.js';
import { preparePgBouncer } from './pgbouncer.js';
import { createPool, type Pool } from './pool.js';
import { startTestPostgres, type TestPostgres, type TestScope } from './test-server.js';

export interface TestPgBouncer {
  /** By way of pgBouncer. */
  readonly url: string;
  readonly pool: Pool;
  /** Past it. */
  readonly postgres: TestPostgres;
  kill(): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
}

const SERVER_CONNECTIONS = 2;
const START_MS_MAX = 10_000;

/** Takes two to three seconds. The schema is made by way of pgBouncer, unless `migrated` is false. */
export async function startTestPgBouncer(
  t: TestScope,
  options: { readonly migrated?: boolean } = {},
): Promise<TestPgBouncer> {
  const postgres = await startTestPostgres(t, { migrated: false });
  const root = await mkdtemp(join(tmpdir(), 'tether-pgbouncer-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const { command, url } = await preparePgBouncer({
    directory: join(root, 'pgbouncer'),
    port: await freePort(),
    databaseUrl: postgres.url,
    serverConnectionsMax: SERVER_CONNECTIONS,
    clientConnectionsMax: 100,
    waitSecondsMax: 2,
  });
  const [program, ...args] = command;
  let child: ChildProcess | undefined;
  const kill = async () => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, 'exit');
    running.kill('SIGKILL');
    await exited;
  };
  t.teardown(kill);
  const pool = createPool({ url, connectionsMax: 4, applicationName: 'tether test', logger: silentLogger });
  t.teardown(() => pool.end());
  const start = async () => {
    const started = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    let log = '';
    started.stderr.on('data', (chunk: Buffer) => {
      log = `${log}${chunk}`.slice(-4_000);
    });
    let failed = false;
    started.once('error', () => {
      failed = true;
    });
    await until(
      'pgBouncer serves',
      async () => {
        if (failed || started.exitCode !== null)
          throw new Error(`pgbouncer does not start; it is in Debian's package pgbouncer: ${log}`);
        return await pool.query('SELECT 1').then(
          () => true,
          () => false,
        );
      },
      START_MS_MAX,
    );
  };
  await start();
  if (options.migrated !== false) await migrate(pool, { logger: silentLogger });
  return { url, pool, postgres, kill, start };
}
