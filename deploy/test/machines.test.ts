/**
 * Redis, Postgres and pgBouncer as the files for them say (`docs/how-to/run-on-machines.md`), and a node that does its work there with no right more
 * than they give it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { findProgram } from '../../storage/find-program.js';
import { createPool } from '../../storage/postgres/index.js';
import { freePort } from '../../storage/test-free-port.js';
import { sendNotification } from './cluster-nodes.js';
import { machineFile } from './machine-files.js';
import {
  PASSWORD,
  STATS_PASSWORD,
  startMachinePostgres,
  startMachineRedis,
  temporary,
  USER,
} from './machine-servers.js';
import { metricOf } from './node-metrics-text.js';
import { isAlive, startNodeProcess } from './node-process.js';
import { spawnCli } from './spawn-cli.js';

const MESSAGES = 60;

t.setTimeout(120_000);

t.test('a node does its work with the rights that the files give it', async (t) => {
  const directory = await temporary(t);
  const [redis, postgres] = await Promise.all([
    startMachineRedis(t, directory),
    startMachinePostgres(t, directory),
  ]);
  const env = { TETHER_REDIS_URL: redis.node, TETHER_DATABASE_URL: postgres.node };
  const node = startNodeProcess({ port: await freePort(), dataDir: join(directory, 'data'), env });
  t.teardown(async () => {
    if (isAlive(node.pid)) await node.killTree((pids) => pids);
  });
  await node.ready;
  for (let n = 0; n < MESSAGES; n++)
    t.equal((await sendNotification(node.url, n % (MESSAGES - 5))).status, 200);
  const events = async () =>
    (await postgres.owner.query<{ count: number }>('select count(*)::int as count from events')).rows[0]
      ?.count;
  await until('all is done', async () => (await events().catch(() => 0)) === MESSAGES - 5, 30_000);
  t.equal(await metricOf(node.url, 'tether_dead_letters_written_total'), 0);
  t.equal(await node.stop('SIGTERM'), 0);
  t.strictSame(await redis.operator.call('ACL', 'LOG'), [], 'nothing that it asked for was refused');
  t.notMatch(node.output(), /"level":"(?:error|fatal)"/);

  await t.test('and has no others', async (t) => {
    const client = new Redis(redis.node, { maxRetriesPerRequest: 1 });
    t.teardown(() => client.disconnect());
    for (const [command = '', ...args] of [
      ['FLUSHALL'],
      ['KEYS', '*'],
      ['CONFIG', 'SET', 'appendonly', 'no'],
      ['GET', 'other'],
      ['SET', 'other:1', 'x'],
      ['PUBLISH', 'other', 'x'],
      ['EVAL', "return redis.call('SET', KEYS[1], 'x')", '1', 'other'],
      ['SHUTDOWN', 'NOSAVE'],
    ])
      await t.rejects(client.call(command, ...args), { message: /NOPERM|permission/i }, command);
    const stranger = new Redis(redis.node.replace(`tether:${PASSWORD}@`, ''), { maxRetriesPerRequest: 1 });
    stranger.on('error', () => undefined);
    t.teardown(() => stranger.disconnect());
    await t.rejects(stranger.ping(), { message: /NOAUTH/ });
    await t.rejects(postgres.owner.query('CREATE DATABASE other'), { message: /42501/ });
    await t.rejects(postgres.owner.query('CREATE ROLE other'), { message: /42501/ });
    const stats = createPool({
      url: postgres.node.replace(`${USER}:${PASSWORD}`, `tether_stats:${STATS_PASSWORD}`),
      connectionsMax: 1,
      applicationName: 'tether test',
      logger: silentLogger,
    });
    t.teardown(() => stats.end());
    t.equal((await stats.query('select 1 from pg_stat_database limit 1')).rowCount, 1);
    await t.rejects(stats.query('select 1 from events'), { message: /42501/ });
  });

  await t.test('and the doctor finds nothing wrong with them', async (t) => {
    const { stdout } = await spawnCli(['doctor', '--only', 'redis,postgres', '--json'], {
      ...env,
      TETHER_DATA_DIR: join(directory, 'data'),
      TETHER_API_TOKEN: 'a-token-of-some-length-71',
    });
    const { checks } = JSON.parse(stdout) as {
      readonly checks: readonly { readonly id: string; readonly outcome: string; readonly found: string }[];
    };
    t.ok(checks.length > 12);
    t.strictSame(
      checks.filter(({ outcome }) => outcome === 'failed' || outcome === 'warning'),
      [],
    );
  });
});

t.test('the unit of systemd is one, and shuts the node in', async (t) => {
  const directory = await temporary(t);
  const release = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');
  const unit = join(directory, 'tether@gateway.service');
  await writeFile(
    unit,
    await machineFile('systemd/tether@.service', {
      '/usr/bin/node': process.execPath,
      '/opt/tether': release,
    }),
  );
  const analyze = findProgram('systemd-analyze') ?? 'systemd-analyze';
  const verified = await output(analyze, ['verify', '--man=no', unit]);
  t.strictSame(
    { ...verified, text: verified.text.replaceAll(/^.*Failed to (?:connect|open).*\n/gm, '') },
    { code: 0, text: '' },
  );
  // From 0, shut in, to 10, as open as a service without settings. What is left: it may reach any address, and V8 writes what it runs.
  const security = await output(analyze, ['security', '--offline=yes', '--threshold=20', '--no-pager', unit]);
  t.equal(security.code, 0, security.text);
});

async function output(
  program: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly text: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}
