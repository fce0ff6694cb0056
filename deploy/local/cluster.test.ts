/**
 * The whole picture as a user starts it: webhooks and a file go in by HAProxy while a gateway and a worker are killed, and everything that was
 * acknowledged is there once. `tether golive` finds that it could go live, and not when something is planted. Then Ctrl-C, and nothing is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import t from 'tap';
import { IbanKeys } from '../../actors/ibans/index.js';
import type { Status } from '../../gateway/api/status-schema.js';
import { silentLogger } from '../../runtime/logger.js';
import { testSeed } from '../../runtime/testing/seed.js';
import { until } from '../../runtime/testing/until.js';
import { createPool, embeddedPostgresUrl } from '../../storage/postgres/index.js';
import { freePort } from '../../storage/test-free-port.js';
import { empTraffic } from '../send/emp-traffic.js';
import { sendEmp } from '../send/send-emp.js';
import { DebtorFile } from '../test/debtor-file.js';
import { isAlive } from '../test/node-process.js';
import { golive } from './test/golive.js';
import { configuredWrongly, runsWrongly, serversAway } from './test/planted-faults.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
const COUNT = 1_800;
const RATE = 300;
const ROWS = 2_000;
/** Of golive, where what it finds depends on what else runs on the machine. */
const TRIES_MAX = 4;

t.setTimeout(120_000);

const root = await mkdtemp(join(tmpdir(), 'tether-local-'));
const directory = join(root, 'cluster');
const port = await freePort();
const url = `http://127.0.0.1:${port}`;

interface Run {
  readonly child: ChildProcess;
  readonly exited: Promise<readonly unknown[]>;
  output(): string;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env.PATH, TETHER_THREADS: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return { child, exited: once(child, 'exit'), output: () => output };
}

// As a cluster that was killed leaves it.
await mkdir(join(directory, 'run'), { recursive: true });
await writeFile(join(directory, 'run', 'long-gone.pid'), '1\n');
const cluster = run(['--dir', directory, '--port', `${port}`]);
// A test that is cut off by its time limit leaves nothing behind: what the cluster started ends with it.
process.once('exit', () => cluster.child.kill('SIGKILL'));
t.teardown(async () => {
  cluster.child.kill('SIGKILL');
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
});
const secret = async (name: string) => (await readFile(join(directory, name), 'utf8')).trim();
const pidOf = async (name: string) => Number(await readFile(join(directory, 'run', `${name}.pid`), 'utf8'));
const told = (text: RegExp) => cluster.output().match(text)?.length ?? 0;

t.test('it comes up', async () => {
  try {
    await until(
      'the cluster is up',
      () => {
        if (cluster.child.exitCode !== null) throw new Error('it ended');
        return told(/The cluster is up/) > 0;
      },
      50_000,
    );
  } catch (cause) {
    throw new Error(`${String(cause)}\n${cluster.output()}`, { cause });
  }
});

t.test('what is acknowledged while a gateway and a worker are killed is there once', async (t) => {
  const seed = testSeed(t);
  const password = await secret('emp-password');
  const file = await DebtorFile.make(ROWS, 1);
  let done = 0;
  const sending = sendEmp({
    url,
    endpoint: 'emp',
    token: await secret('emp-token'),
    password,
    seed,
    count: COUNT,
    duplicates: 0.1,
    rate: RATE,
    connections: 16,
    deadlineMsMax: 30_000,
    signal: new AbortController().signal,
    onProgress: (progress) => {
      done = progress.done;
    },
  });
  const authorization = `Bearer ${await secret('api-token')}`;
  const posted = await fetch(`${url}/uploads`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'text/csv' },
    body: new Uint8Array(file.bytes),
  });
  t.equal(posted.status, 201);
  const upload = (await posted.json()) as { id: string };

  await until('it is in full swing', () => done > COUNT / 4);
  process.kill(await pidOf('worker-1'), 'SIGKILL');
  process.kill(await pidOf('gateway-1'), 'SIGKILL');
  // Meanwhile.
  const second = run(['--dir', directory, '--port', `${await freePort()}`]);
  t.strictSame(await second.exited, [1, null]);
  t.match(second.output(), /a cluster runs in .* already, as process \d+/);

  const summary = await sending;
  t.comment(JSON.stringify(summary));
  t.match(summary, { acknowledged: COUNT, rejected: {}, gaveUp: null });
  await until(
    'both are started again',
    () => told(/^cluster: (worker|gateway)-1 is up again/gm) === 2,
    20_000,
  );

  const databaseUrl = await embeddedPostgresUrl(join(directory, 'postgres'));
  const pool = createPool({
    url: databaseUrl ?? '',
    connectionsMax: 1,
    applicationName: 'test',
    logger: silentLogger,
  });
  t.teardown(() => pool.end());
  const wanted = [...empTraffic({ seed, count: COUNT, duplicates: 0.1, password })].map(
    ({ dedupe }) => dedupe,
  );
  const found = async () =>
    (await pool.query<{ dedupe: string }>('SELECT dedupe FROM events')).rows.map(({ dedupe }) => dedupe);
  await until('all of it is processed', async () => (await found()).length >= summary.distinct, 20_000);
  t.strictSame((await found()).sort(), [...new Set(wanted)].sort(), 'each once');

  const shown = async () =>
    (await (await fetch(`${url}/uploads/${upload.id}`, { headers: { authorization } })).json()) as object;
  await until('the file is done', async () => JSON.stringify(await shown()).includes('"completed"'), 20_000);
  t.match(await shown(), { sha256: file.sha256, counts: file.counts });
  const { TETHER_IBAN_KEYS: keys = '' } = parseEnv(await readFile(join(directory, 'gateway-1.env'), 'utf8'));
  t.strictSame(
    await file.wrongRows(pool, upload.id, IbanKeys.parse(keys)),
    [],
    'and each IBAN is sealed for its row',
  );
});

t.test('it could go live', async (t) => {
  const headers = { authorization: `Bearer ${await secret('api-token')}` };
  // One was killed above: that its process is up again does not say that the others know it as one that works.
  await until(
    'both workers are known',
    async () => {
      const answer = await fetch(`${url}/api/status`, { headers });
      const { cluster } = (await answer.json()) as Pick<Status, 'cluster'>;
      return cluster?.nodes.length === 2 && cluster.gateways.length === 2;
    },
    20_000,
  );
  let { code, verdict, checks } = await golive({ directory, args: [url] });
  const outcomeOf = (id: string) => checks.find((check) => check.id === id)?.outcome;
  // Beside others a node may find that it gets too little of the machine, and says so, rightly.
  for (let tries = 1; tries < TRIES_MAX && outcomeOf('running-findings') === 'warning'; tries++) {
    t.comment(checks.find(({ id }) => id === 'running-findings')?.found);
    ({ code, verdict, checks } = await golive({ directory, args: [url] }));
  }
  t.strictSame(
    checks.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'skipped').map(({ id }) => id),
    ['postgres-rights'],
    'nodes use the user that Postgres was made with',
  );
  t.match({ code, verdict }, { code: 0, verdict: 'go' });
  for (const id of ['postgres-pool', 'iban-encryption', 'running-nodes', 'smoke-effect', 'smoke-download'])
    t.equal(outcomeOf(id), 'ok', id);
});

t.test('and could not with any of twenty faults that are planted', async (t) => {
  const place = { directory, url };
  await t.test('of what it is given', (t) => configuredWrongly(t, place));
  await t.test('of servers', (t) => serversAway(t, place));
  await t.test('of what runs', (t) => runsWrongly(t, place));
  t.match(await golive({ directory, args: [url] }), { verdict: 'go' }, 'they are taken away again');
});

t.test('Ctrl-C drains it and leaves nothing that runs', async (t) => {
  const names = await readdir(join(directory, 'run'));
  const pids = await Promise.all(names.map((name) => pidOf(name.replace('.pid', ''))));
  t.equal(pids.length, 13, 'the balancer, four nodes, and eight processes of servers');
  t.ok(pids.every(isAlive) && !pids.includes(1));
  cluster.child.kill('SIGINT');
  t.strictSame(await cluster.exited, [0, null]);
  t.match(cluster.output(), /cluster: has stopped\n$/);
  t.notMatch(cluster.output(), /did not end within/);
  t.notOk(pids.some(isAlive));
  t.strictSame(await readdir(join(directory, 'run')), []);
});

t.test('what can be seen before anything is started is said in a line', async (t) => {
  const elsewhere = ['--dir', join(root, 'other')];
  const busy = await freePort();
  const { createServer } = await import('node:net');
  const taken = createServer().listen(busy, '127.0.0.1');
  t.teardown(() => void taken.close());
  const cases: readonly (readonly [Run, number, RegExp])[] = [
    [
      run([...elsewhere, '--port', `${busy}`]),
      1,
      /^cluster: port \d+ is taken on this machine: [^\n]*--port[^\n]*\n$/,
    ],
    [
      run(elsewhere, { TETHER_REDIS_URL: 'redis://127.0.0.1' }),
      78,
      /^cluster: TETHER_REDIS_URL is set, [^\n]*\n$/,
    ],
    [
      run(['--workers', '0']),
      64,
      /^cluster: [^\n]*--workers[^\n]*\ncluster: see npm run cluster -- --help\n$/,
    ],
    [run(elsewhere, { TETHER_PORT: 'x' }), 64, /TETHER_PORT/],
    [run(['--help']), 0, /^Usage: npm run cluster -- \[options\]/],
  ];
  for (const [{ exited, output }, code, text] of cases) {
    t.strictSame(await exited, [code, null]);
    t.match(output(), text);
  }
});
