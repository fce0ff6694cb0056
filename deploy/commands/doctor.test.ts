/** The command, as its users run it: a whole node's servers, and what it says of them. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { startTestRedis } from '../../storage/redis/test-redis-server.js';
import { freePort } from '../../storage/test-free-port.js';
import { spawnCli } from '../test/spawn-cli.js';

// Each case is a process or more of its own, which take a while on a busy machine.
t.setTimeout(180_000);

const root = await mkdtemp(join(tmpdir(), 'tether-doctor-'));
t.teardown(() => rm(root, { recursive: true, force: true }));
const SECRETS = {
  api: 'bQ7xk2Vn9tLw4ZsR',
  redis: 'uN6cJr0GfSa2Eo9b',
  token: 'Vt5gHn2RkXp8Wd3s',
  emp: 'Yc9eUj6BmQz1Fo4a',
  ibans: `2026:${randomBytes(32).toString('base64')}`,
};
const endpoints = join(root, 'endpoints.yaml');
await writeFile(
  endpoints,
  `endpoints: [{ name: emp, provider: emp, token: ${SECRETS.token}, secrets: [${SECRETS.emp}] }]\n`,
  { mode: 0o600 },
);

interface Report {
  readonly version: number;
  readonly exitCode: number;
  readonly summary: Readonly<Record<string, number>>;
  readonly checks: readonly { readonly id: string; readonly outcome: string; readonly found: string }[];
}
const outcomes = (stdout: string) => {
  const { checks } = JSON.parse(stdout) as Report;
  return Object.fromEntries(checks.map(({ id, outcome }) => [id, outcome]));
};

t.test('a node of a cluster', async (t) => {
  const redis = await startTestRedis(t, ['--maxmemory', '200mb']);
  await redis.client.config('SET', 'requirepass', SECRETS.redis);
  const { url } = await startTestPostgres(t);
  const env = {
    TETHER_API_TOKEN: SECRETS.api,
    TETHER_DATABASE_URL: url,
    TETHER_REDIS_URL: `redis://:${SECRETS.redis}@127.0.0.1:${redis.port}`,
    TETHER_ENDPOINTS: endpoints,
    TETHER_IBAN_KEYS: SECRETS.ibans,
    TETHER_DATA_DIR: join(root, 'data'),
    TETHER_PORT: `${await freePort()}`,
  };
  const args = ['doctor', '--dotenv', join(root, '.env'), '--skip', 'machine,file-system,disk-sync'];
  const json = await spawnCli([...args, '--json'], env);
  t.match(json, { code: 0, stderr: '' });
  t.match(outcomes(json.stdout), {
    'redis-auth': 'ok',
    'redis-aof': 'ok',
    'postgres-auth': 'ok',
    'postgres-schema': 'ok',
    'postgres-rights': 'warning',
    'clock-redis': 'ok',
    'clock-postgres': 'ok',
    'secret-strength': 'ok',
    'iban-encryption': 'ok',
    's3-use': 'skipped',
  });
  t.equal((JSON.parse(json.stdout) as Report).summary.failed, 0, 'nothing failed');
  t.match(await spawnCli([...args, '--strict'], env), { code: 1 }, 'a warning counts');

  await redis.client.config('SET', 'appendonly', 'no');
  const text = await spawnCli(args, env);
  t.match(text, { code: 1, stdout: /FAILED {2}redis-aof .*\n +-> .*appendonly yes/ });
  t.match(text.stdout, /\n\d+ ok, \d+ warnings?, 1 failed, \d+ skipped\n$/);

  const wrong = await spawnCli(args, { ...env, TETHER_PORT: 'x', TETHER_PROT: '1' });
  t.match(wrong, { code: 78, stdout: /TETHER_PORT is "x"/ });
  t.match(wrong.stdout, /ok {6}postgres-reach/, 'and it goes on');
  for (const { stdout, stderr } of [json, text, wrong]) {
    for (const secret of [...Object.values(SECRETS), new URL(url).password]) {
      t.notOk(`${stdout}${stderr}`.includes(secret));
    }
  }
  t.strictSame((await readdir(root)).sort(), ['endpoints.yaml'], 'it has made nothing');
});

t.test('ids that are not there', async (t) => {
  t.match(await spawnCli(['doctor', '--only', 'redis-aov']), {
    code: 64,
    stderr: /"redis-aov", which is no check \(did you mean redis-aof\?\)/,
  });
  t.match(await spawnCli(['doctor', '--only', 'redis', '--skip', 'redis']), { code: 64, stderr: /no check/ });
});

t.test('told to stop', async (t) => {
  const cli = fileURLToPath(new URL('../cli.js', import.meta.url));
  const dataDir = await mkdtemp(join(root, 'data-'));
  const child = spawn(process.execPath, [cli, 'doctor', '--up', '--only', 'disk'], {
    env: { PATH: process.env.PATH, TETHER_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  const closed = once(child, 'close');
  // The probe of the disk is on its way.
  await until('there is a probe', async () => (await readdir(dataDir)).length > 0 || child.exitCode !== null);
  child.kill('SIGTERM');
  const [code] = await closed;
  t.equal(code, 143);
  // By itself, or with all the others when none was done yet.
  t.match(stdout, /skipped (disk-sync|all \d+) +the doctor was interrupted/);
  t.strictSame(await readdir(dataDir), [], 'and the probe is gone');
});
