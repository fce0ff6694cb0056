/** `tether golive` of a cluster as `docs/how-to/run-on-machines.md` sets it up: green, and red for each fault that is planted. */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { freePort } from '../../storage/test-free-port.js';
import { type GoliveFlags, golive } from '../commands/golive-run.js';
import { startMachinePostgres, startMachineRedis, temporary } from './machine-servers.js';
import { isAlive, type NodeProcess, startNodeProcess } from './node-process.js';
import { type Certificate, makeCertificate } from './tls.js';

t.setTimeout(180_000);

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
const API_TOKEN = '5b1f9c07d2e84a3690cd71fe';
const ENDPOINT_TOKEN = '90b2c6417fd8e35a2c11d0aa';
const ENDPOINT_PASSWORD = 'c48e19a07b3d52f6e9a17d40';

const IBAN_KEY = `2026:${randomBytes(32).toString('base64')}`;

const directory = await temporary(t as Test);
const [redis, postgres, s3] = await Promise.all([
  startMachineRedis(t as Test, directory),
  startMachinePostgres(t as Test, directory),
  startTestS3Server(t),
]);
const endpoints = join(directory, 'endpoints.yaml');
writeFileSync(
  endpoints,
  `endpoints: [{ name: emp, provider: emp, token: ${ENDPOINT_TOKEN}, secrets: [${ENDPOINT_PASSWORD}] }]\n`,
  { mode: 0o600 },
);
const dotenv = join(directory, 'tether.env');
const dataDir = join(directory, 'data');
mkdirSync(dataDir, { mode: 0o700 });
const env = {
  TETHER_REDIS_URL: redis.node,
  TETHER_DATABASE_URL: postgres.node,
  TETHER_S3_URL: s3.url('golive'),
  TETHER_API_TOKEN: API_TOKEN,
  TETHER_ENDPOINTS: endpoints,
  TETHER_IBAN_KEYS: IBAN_KEY,
  TETHER_DATA_DIR: dataDir,
  TETHER_PORT: `${await freePort()}`,
};
writeFileSync(
  dotenv,
  Object.entries(env)
    .map(([key, value]) => `${key}=${value}\n`)
    .join(''),
  { mode: 0o600 },
);

const without = (from: Readonly<Record<string, string>>, ...keys: readonly string[]) =>
  Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key)));

const nodes: NodeProcess[] = [];
for (let at = 0; at < 2; at++)
  nodes.push(
    startNodeProcess({
      port: await freePort(),
      dataDir: join(directory, `node-${at}`),
      env: without(env, 'TETHER_PORT', 'TETHER_DATA_DIR'),
    }),
  );
t.teardown(async () => {
  for (const node of nodes) if (isAlive(node.pid)) await node.killTree((pids) => pids);
});
await Promise.all(nodes.map(({ ready }) => ready));
const [url = ''] = nodes.map((node) => node.url);
const headers = { authorization: `Bearer ${API_TOKEN}` };

interface Seen {
  readonly verdict: string;
  readonly checks: readonly { readonly id: string; readonly outcome: string; readonly found: string }[];
}

interface Run {
  readonly env?: Readonly<Record<string, string>>;
  /** Left out of the environment. */
  readonly without?: readonly string[];
  readonly flags?: Partial<GoliveFlags>;
  /** Null: before a deployment. */
  readonly url?: string | null;
}

async function run({ env: more = {}, without: left = [], flags = {}, url: given = url }: Run) {
  const environment = without({ PATH: process.env.PATH ?? '', ...env, ...more }, ...left);
  const { text, exitCode } = await golive(
    given ?? undefined,
    {
      endpoint: 'emp',
      endpointToken: ENDPOINT_TOKEN,
      password: ENDPOINT_PASSWORD,
      deadline: 20,
      dotenv,
      json: true,
      ...flags,
    },
    environment,
    {},
  );
  const seen = JSON.parse(text) as Seen;
  const outcomes = new Map(seen.checks.map(({ id, outcome }) => [id, outcome]));
  return { ...seen, exitCode, outcomes, text };
}

/** Each of these items is `outcome`, and the verdict is no. */
async function isRed(
  t: Test,
  planted: Run,
  items: Readonly<Record<string, 'failed' | 'warning'>>,
): Promise<void> {
  const { outcomes, verdict, exitCode, checks } = await run({
    ...planted,
    flags: { strict: true, ...planted.flags },
  });
  for (const [id, outcome] of Object.entries(items))
    t.equal(outcomes.get(id), outcome, `${id}: ${checks.find((check) => check.id === id)?.found}`);
  t.equal(verdict, 'no-go');
  t.not(exitCode, 0);
}

t.test('a cluster that is well is a go, before and after', async (t) => {
  await until(
    'both read partitions',
    async () => {
      const answer = (await (await fetch(`${url}/api/status`, { headers })).json()) as {
        readonly cluster: { readonly nodes: readonly string[] } | null;
      };
      return answer.cluster?.nodes.length === 2;
    },
    30_000,
  );
  const out = join(directory, 'report');
  const after = await run({ flags: { out } });
  t.strictSame(
    after.checks.filter(({ outcome }) => outcome === 'failed'),
    [],
  );
  t.match(after, { verdict: 'go', exitCode: 0 });
  for (const id of [
    'redis-aof',
    'postgres-rights',
    's3-private',
    'iban-encryption',
    'running-nodes',
    'running-pools',
    'edge-tls',
    'smoke-effect',
    'smoke-download',
  ])
    t.equal(after.outcomes.get(id), 'ok', id);
  t.strictSame(JSON.parse(readFileSync(join(out, 'golive.json'), 'utf8')).verdict, 'go');
  const page = readFileSync(join(out, 'golive.md'), 'utf8');
  t.match(page, /^# Go-live report\n\n\*\*GO: \d+ ok/);
  t.match(page, /\| It took effect, once, and the forged one did not \(`smoke-effect`\) \| ok \| one event/);
  for (const file of ['golive.md', 'golive.json']) {
    t.equal(statSync(join(out, file)).mode & 0o777, 0o600);
    t.notMatch(
      readFileSync(join(out, file), 'utf8'),
      new RegExp(`${API_TOKEN}|${ENDPOINT_TOKEN}|${ENDPOINT_PASSWORD}`),
    );
    t.notOk(readFileSync(join(out, file), 'utf8').includes(IBAN_KEY.slice(5)));
  }
  const before = await run({ url: null });
  t.match(before, { verdict: 'go', exitCode: 0 });
  t.notOk(before.checks.some(({ id }) => id.startsWith('smoke-') || id.startsWith('running-')));
  await t.rejects(run({ flags: { out: '/proc/nowhere' }, url: null }), { code: 'TETHER_USAGE' });
});

t.test('faults of the configuration and of files', async (t) => {
  chmodSync(dotenv, 0o644);
  chmodSync(dataDir, 0o755);
  await isRed(
    t,
    {
      env: {
        TETHER_API_TOKEN: 'aaaaaaaaaaaaaaaaaaaa',
        TETHER_LOG_LEVEL: 'debug',
        NODE_OPTIONS: '--inspect=0.0.0.0:9229',
        TETHER_S3_URL: env.TETHER_S3_URL.replace('golive', 'nobody'),
      },
      url: null,
    },
    {
      'env-file': 'failed',
      'secret-strength': 'failed',
      'log-level': 'warning',
      debugger: 'failed',
      's3-use': 'failed',
    },
  );
  chmodSync(dotenv, 0o600);
  await isRed(
    t,
    {
      env: { TETHER_JOURNAL_BYTES_MAX: '1024GiB', TETHER_THREADS: '64' },
      without: ['TETHER_REDIS_URL', 'TETHER_IBAN_KEYS'],
      url: null,
    },
    { 'iban-encryption': 'failed', 'data-dir': 'warning', 'disk-space': 'failed', cores: 'warning' },
  );
  chmodSync(dataDir, 0o700);
});

t.test('faults of Redis', async (t) => {
  const set = (name: string, value: string) => redis.operator.config('SET', name, value);
  await set('maxmemory-policy', 'allkeys-lru');
  await set('appendonly', 'no');
  await set('protected-mode', 'no');
  await set('bind', '0.0.0.0');
  await redis.operator.call('ACL', 'SETUSER', 'default', 'on', 'nopass', '~*', '+@all');
  await isRed(
    t,
    { url: null },
    { 'redis-eviction': 'failed', 'redis-aof': 'failed', 'redis-auth': 'warning', 'redis-bind': 'failed' },
  );
  await redis.operator.call('ACL', 'SETUSER', 'default', 'off', 'resetpass');
  await set('bind', '127.0.0.1 -::1');
  await set('protected-mode', 'yes');
  await set('appendonly', 'yes');
  await set('maxmemory-policy', 'noeviction');
});

t.test('faults of Postgres, and servers that are not there', async (t) => {
  await postgres.superuserPool.query('ALTER ROLE CURRENT_USER SET synchronous_commit = off');
  await isRed(
    t,
    { env: { TETHER_DATABASE_URL: postgres.superuser }, url: null },
    { 'postgres-durability': 'failed', 'postgres-rights': 'warning' },
  );
  await postgres.superuserPool.query('ALTER ROLE CURRENT_USER RESET synchronous_commit');
  const s3Url = new URL(env.TETHER_S3_URL);
  s3Url.password = 'not-the-secret-key-of-it';
  await isRed(
    t,
    {
      env: {
        TETHER_DATABASE_URL: postgres.node.replace(/:[0-9a-f]+@/, ':0123456789abcdef0123@'),
        TETHER_REDIS_URL: env.TETHER_REDIS_URL.replace(/:\d+$/, `:${await freePort()}`),
        TETHER_S3_URL: s3Url.href,
      },
      url: null,
    },
    { 'postgres-reach': 'failed', 'redis-reach': 'failed', 's3-use': 'failed' },
  );
});

async function serveTls(t: Test, { certificate, key }: Certificate): Promise<string> {
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (_, answer) =>
    answer.end('open'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('faults of the certificate', async (t) => {
  const strange = await serveTls(t, await makeCertificate(directory));
  await isRed(
    t,
    { url: strange, flags: { apiUrl: url, withoutUploads: true } },
    { 'edge-tls': 'failed', 'smoke-health': 'failed' },
  );
  const old = await makeCertificate(directory, '-10d');
  const expired = await serveTls(t, old);
  // What else is believed is read when a process starts.
  const args = [
    ...['golive', expired, '--api-url', url, '--without-uploads', '--json', '--dotenv', dotenv],
    ...['--endpoint-token', ENDPOINT_TOKEN, '--password', ENDPOINT_PASSWORD],
  ];
  const { stdout, code } = await promisify(execFile)(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH, ...env, NODE_EXTRA_CA_CERTS: old.certificate },
  }).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { readonly stdout: string; readonly code: number }) => error,
  );
  const { checks } = JSON.parse(stdout) as Seen;
  t.equal(code, 1);
  t.match(
    checks.find(({ id }) => id === 'edge-tls'),
    { outcome: 'failed', found: /expired/ },
  );
});

t.test('faults of what runs', async (t) => {
  const everywhere = (word: string) =>
    Promise.all(
      nodes.map(async (node) =>
        t.equal(
          (await fetch(`${node.url}/api/pools/payment/${word}`, { method: 'POST', headers })).status,
          200,
        ),
      ),
    );
  await everywhere('pause');
  // What a node says of itself is up to a second old.
  const isSeen = async () =>
    (await (await fetch(`${url}/api/status`, { headers })).text()).includes('"mode":"paused"');
  await until('it is seen', isSeen);
  await isRed(
    t,
    { flags: { deadline: 1, withoutUploads: true } },
    { 'running-pools': 'failed', 'smoke-effect': 'failed' },
  );
  await everywhere('resume');
  await isRed(
    t,
    {
      flags: {
        password: 'another-password-of-emp',
        withoutUploads: true,
        apiUrl: url.replace('127.0.0.1', 'localhost'),
      },
    },
    { 'smoke-webhook': 'failed', 'edge-hidden': 'warning' },
  );
  await nodes[1]?.stop('SIGTERM');
  await until(
    'it is gone',
    async () => (await run({ flags: { withoutUploads: true } })).outcomes.get('running-nodes') === 'warning',
    20_000,
  );
});
