/** Twenty faults, planted in the cluster on one machine and taken away again: `tether golive` sees each of them. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import { silentLogger } from '../../../runtime/logger.js';
import { until } from '../../../runtime/testing/until.js';
import { createPool, embeddedPostgresUrl } from '../../../storage/postgres/index.js';
import { isRed } from './golive.js';

export interface Place {
  readonly directory: string;
  /** Of HAProxy. */
  readonly url: string;
}

const pidOf = async ({ directory }: Place, name: string) =>
  Number(await readFile(join(directory, 'run', `${name}.pid`), 'utf8'));
const settingsOf = async ({ directory }: Place) =>
  parseEnv(await readFile(join(directory, 'gateway-1.env'), 'utf8')) as Readonly<Record<string, string>>;

/** Twelve: of the configuration, of Redis, of Postgres and its pooler, of the bucket, of the clock. */
export async function configuredWrongly(t: Test, place: Place): Promise<void> {
  const { directory } = place;
  const settings = await settingsOf(place);
  const redis = new Redis(settings.TETHER_REDIS_URL ?? '');
  t.teardown(() => redis.disconnect());
  const superuser = createPool({
    url: (await embeddedPostgresUrl(join(directory, 'postgres'))) ?? '',
    connectionsMax: 1,
    applicationName: 'test',
    logger: silentLogger,
  });
  t.teardown(() => superuser.end());
  const ini = join(directory, 'pgbouncer', 'pgbouncer.ini');
  const pooling = async (mode: string) => {
    const text = (await readFile(ini, 'utf8')).replace(/^pool_mode = .*$/m, `pool_mode = ${mode}`);
    await writeFile(ini, text);
    process.kill(await pidOf(place, 'pgbouncer'), 'SIGHUP');
  };
  const console = new URL(settings.TETHER_DATABASE_URL ?? '');
  console.pathname = '/pgbouncer';
  const pooler = createPool({
    url: console.href,
    connectionsMax: 1,
    applicationName: 'test',
    logger: silentLogger,
  });
  t.teardown(() => pooler.end());
  const synchronousCommit = async (change: string) => {
    await superuser.query(`ALTER ROLE CURRENT_USER ${change}`);
    // A connection that is there keeps what it has begun with.
    await pooler.query('RECONNECT');
  };
  const password = new URL(settings.TETHER_REDIS_URL ?? '').password;

  await chmod(join(directory, 'gateway-1.env'), 0o644);
  await pooling('session');
  await synchronousCommit('SET synchronous_commit = off');
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await redis.config('SET', 'appendonly', 'no');
  await redis.config('SET', 'protected-mode', 'no');
  await redis.config('SET', 'bind', '0.0.0.0');
  await redis.call('ACL', 'SETUSER', 'default', 'nopass');
  await isRed(
    t,
    {
      directory,
      args: [],
      env: {
        TETHER_ROLE: 'worker',
        TETHER_THREADS: '64',
        TETHER_IBAN_KEYS: '',
        TETHER_API_TOKEN: 'aaaaaaaaaaaaaaaaaaaa',
        TETHER_LOG_LEVEL: 'debug',
        TETHER_S3_URL: (settings.TETHER_S3_URL ?? '').replace(/[^/]+$/, 'nobodys'),
      },
      offBy: '+2m',
    },
    [
      ['env-file', 'failed'],
      ['secret-strength', 'failed'],
      ['log-level', 'warning'],
      ['cores', 'warning'],
      ['iban-encryption', 'failed'],
      ['redis-eviction', 'failed'],
      ['redis-aof', 'failed'],
      ['redis-bind', 'failed'],
      ['redis-auth', 'warning'],
      ['postgres-pool', 'warning', /pool_mode session/],
      ['postgres-durability', 'failed'],
      ['s3-use', 'failed', /bucket/],
      ['clock-postgres', 'failed'],
      ['clock-redis', 'failed'],
      ['clock-s3', 'failed'],
    ],
  );
  await redis.call('ACL', 'SETUSER', 'default', 'resetpass', `>${password}`);
  await redis.config('SET', 'bind', '127.0.0.1');
  await redis.config('SET', 'protected-mode', 'yes');
  await redis.config('SET', 'appendonly', 'yes');
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  await synchronousCommit('RESET synchronous_commit');
  await pooling('transaction');
  await chmod(join(directory, 'gateway-1.env'), 0o600);
}

/** Three: servers that are not there, or do not know who comes. */
export async function serversAway(t: Test, place: Place): Promise<void> {
  const settings = await settingsOf(place);
  const otherwise = (key: string, change: (url: URL) => void) => {
    const url = new URL(settings[key] ?? '');
    change(url);
    return { [key]: url.href };
  };
  const wrong = 'not-the-one-it-knows-0123456789';
  const env = {
    ...otherwise('TETHER_DATABASE_URL', (url) => {
      url.password = wrong;
    }),
    ...otherwise('TETHER_REDIS_URL', (url) => {
      url.port = '1';
    }),
    ...otherwise('TETHER_S3_URL', (url) => {
      url.password = wrong;
    }),
  };
  await isRed(t, { directory: place.directory, args: [], env }, [
    ['postgres-reach', 'failed'],
    ['redis-reach', 'failed'],
    ['s3-use', 'failed'],
  ]);
}

/** Five: a paused pool, a worker that hangs, a secret that EMP does not have, an API that the world sees, a plain address. */
export async function runsWrongly(t: Test, place: Place): Promise<void> {
  const { directory, url } = place;
  const headers = {
    authorization: `Bearer ${(await readFile(join(directory, 'api-token'), 'utf8')).trim()}`,
  };
  const workers = async () => {
    const answer = await (await fetch(`${url}/api/status`, { headers })).json();
    return (answer as { readonly cluster: { readonly nodes: readonly string[] } }).cluster.nodes;
  };
  // On all of them, whichever is asked; a gateway has no pools.
  const told = async (word: string) => {
    const [worker = ''] = await workers();
    const asked = `http://${worker.split('/')[1]}/api/pools/payment/${word}`;
    t.equal((await fetch(asked, { method: 'POST', headers })).status, 200);
  };
  await told('pause');
  const hanging = await pidOf(place, 'worker-2');
  process.kill(hanging, 'SIGSTOP');
  try {
    await until('a worker is missed', async () => (await workers()).length === 1, 20_000);
    await isRed(t, { directory, args: [url, '--deadline', '1', '--without-uploads'] }, [
      ['running-nodes', 'warning', /2 take messages, 1 work/],
      ['smoke-effect', 'failed'],
    ]);
  } finally {
    process.kill(hanging, 'SIGCONT');
  }
  await told('resume');
  await until('it is back', async () => (await workers()).length === 2, 20_000);
  const other = url.replace('127.0.0.1', 'localhost');
  await isRed(
    t,
    {
      directory,
      args: [url, '--api-url', other, '--password', 'another-password-of-emp', '--without-uploads'],
    },
    [
      ['smoke-webhook', 'failed'],
      ['edge-hidden', 'warning'],
    ],
  );
}
