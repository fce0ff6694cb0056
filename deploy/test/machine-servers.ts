/** Redis, Postgres and pgBouncer as the files for machines say, with secrets and ports of a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { findProgram } from '../../storage/find-program.js';
import { chooseAccount } from '../../storage/postgres/embedded-account.js';
import { locatePostgresBinaries } from '../../storage/postgres/embedded-binaries.js';
import { createPool, type Pool } from '../../storage/postgres/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { freePort } from '../../storage/test-free-port.js';
import { machineFile } from './machine-files.js';

export const PASSWORD = 'f3a1c09b7d52e846d1b7';
/** The embedded Postgres has a superuser and a database `tether` of its own. */
export const USER = 'tether_node';
const renamed = (text: string) => text.replaceAll(/\btether\b/g, USER);
export const STATS_PASSWORD = '8d40b7e2a95c13f60c4e';

export async function temporary(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tether-machines-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** It ends with the test, if it has not ended. */
export function endedWith(t: Test, child: ChildProcess): void {
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
}

/** Resolves with its URLs as a node and as an operator. */
export async function startMachineRedis(
  t: Test,
  directory: string,
): Promise<{ readonly node: string; readonly operator: Redis; readonly port: number }> {
  const port = await freePort();
  const users = join(directory, 'users.acl');
  await writeFile(
    users,
    await machineFile('redis/users.acl', {
      'CHANGE-ME-tether': PASSWORD,
      'CHANGE-ME-replica': STATS_PASSWORD,
      'CHANGE-ME-operator': STATS_PASSWORD,
    }),
    { mode: 0o600 },
  );
  const file = join(directory, 'redis.conf');
  await writeFile(
    file,
    await machineFile('redis/redis.conf', {
      'port 6379\n# TLS': `port ${port}\n# TLS`,
      '/var/lib/redis': directory,
      '/etc/redis/users.acl': users,
    }),
  );
  const child = spawn(findProgram('redis-server') ?? 'redis-server', [file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  endedWith(t, child);
  const operator = new Redis({ port, host: '127.0.0.1', username: 'operator', password: STATS_PASSWORD });
  operator.on('error', () => undefined);
  t.teardown(() => operator.disconnect());
  await until('Redis serves', () =>
    operator.ping().then(
      () => true,
      () => false,
    ),
  );
  return { node: `redis://tether:${PASSWORD}@127.0.0.1:${port}`, operator, port };
}

/** Makes the roles and the database, and puts pgBouncer before them. Resolves with the URL of a node, a pool of its user past pgBouncer, and the server's superuser. */
export async function startMachinePostgres(
  t: Test,
  directory: string,
): Promise<{
  readonly node: string;
  readonly owner: Pool;
  readonly superuser: string;
  readonly superuserPool: Pool;
}> {
  const postgres = await startTestPostgres(t, { migrated: false });
  const roles = await machineFile('postgres/roles.sql', {
    'CHANGE-ME-tether': PASSWORD,
    'CHANGE-ME-stats': STATS_PASSWORD,
  });
  for (const statement of renamed(roles)
    .replaceAll(/^--.*$/gm, '')
    .split(/;\s*\n/)) {
    if (statement.trim() !== '') await postgres.pool.query(statement);
  }
  const { port: postgresPort } = new URL(postgres.url);
  const port = await freePort();
  const place = join(directory, 'pgbouncer');
  await mkdir(place, { mode: 0o700 });
  const users = join(place, 'userlist.txt');
  await writeFile(users, `"${USER}" "${PASSWORD}"\n"tether_stats" "${STATS_PASSWORD}"\n`, { mode: 0o600 });
  const file = join(place, 'pgbouncer.ini');
  await writeFile(
    file,
    await machineFile('pgbouncer/pgbouncer.ini', {
      'tether = host=postgres.internal port=5432 dbname=tether': `${USER} = host=127.0.0.1 port=${postgresPort} dbname=${USER}`,
      'listen_port = 6432': `listen_port = ${port}`,
      '/etc/pgbouncer/userlist.txt': users,
    }),
  );
  const { postgres: program } = await locatePostgresBinaries();
  const account = await chooseAccount(program, place);
  await account.own(place);
  const [command, ...args] = account.wrap([findProgram('pgbouncer') ?? 'pgbouncer', file], 'KILL');
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  endedWith(t, child);
  const login = `postgres://${USER}:${PASSWORD}@127.0.0.1`;
  const owner = createPool({
    url: `${login}:${postgresPort}/${USER}`,
    connectionsMax: 2,
    applicationName: 'tether test',
    logger: silentLogger,
  });
  t.teardown(() => owner.end());
  return { node: `${login}:${port}/${USER}`, owner, superuser: postgres.url, superuserPool: postgres.pool };
}
