/** `tether smoke` against a real node, well and not, and what it leaves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool } from 'pg';
import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { embeddedPostgresUrl } from '../../storage/postgres/index.js';
import { freePort } from '../../storage/test-free-port.js';
import { isAlive, startNodeProcess } from './node-process.js';
import { serve } from './serve.js';
import { spawnCli } from './spawn-cli.js';

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
const API_TOKEN = 'token-of-a-test-0123456789';

t.setTimeout(120_000);

const dataDir = mkdtempSync(join(tmpdir(), 'tether-smoke-'));
const port = await freePort();
const node = startNodeProcess({ port, dataDir, env: { TETHER_API_TOKEN: API_TOKEN } });
t.teardown(async () => {
  await pool.end();
  if (isAlive(node.pid)) await node.killTree((pids) => pids);
  rmSync(dataDir, { recursive: true, force: true });
});
await node.ready;
const env = { TETHER_API_TOKEN: API_TOKEN, TETHER_DATA_DIR: dataDir };
await until(
  'its database is there',
  async () => (await embeddedPostgresUrl(join(dataDir, 'postgres'))) !== undefined,
  30_000,
);
const pool = new Pool({ connectionString: await embeddedPostgresUrl(join(dataDir, 'postgres')), max: 1 });
pool.on('error', () => undefined);

interface Report {
  readonly exitCode: number;
  readonly checks: readonly {
    readonly id: string;
    readonly outcome: string;
    readonly found: string;
    readonly advice: string | null;
  }[];
}

async function smoke(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly report: Report }> {
  const { code, stdout, stderr } = await spawnCli(['smoke', '--json', ...args], env);
  if (stdout === '') throw new Error(stderr);
  return { code, report: JSON.parse(stdout) as Report };
}

const outcomes = ({ checks }: Report) => Object.fromEntries(checks.map(({ id, outcome }) => [id, outcome]));
const count = async (table: string) =>
  (await pool.query<{ count: number }>(`select count(*)::int as count from ${table}`)).rows[0]?.count;

t.test('a node that is well: every step, and one event is all that is left', async (t) => {
  const { code, report } = await smoke(node.url);
  t.strictSame(
    report.checks.map(({ id, outcome, found }) => (outcome === 'ok' ? id : `${id}: ${found}`)),
    [
      'health',
      'api',
      'webhook',
      'duplicate',
      'forged',
      'effect',
      'upload',
      'processing',
      'download',
      'clean-up',
    ],
  );
  t.strictSame([code, report.exitCode], [0, 0]);
  t.strictSame([await count('events'), await count('payments'), await count('debtors')], [1, 0, 0]);
  const { uploads } = (await (
    await fetch(`${node.url}/uploads`, { headers: { authorization: `Bearer ${API_TOKEN}` } })
  ).json()) as { readonly uploads: readonly unknown[] };
  t.strictSame(uploads, [], 'its file is gone');
  const text = (await spawnCli(['smoke', node.url, '--without-uploads'], env)).stdout;
  t.match(text, /^The node\n {2}ok +health/);
  t.match(text, /6 ok, 0 warnings, 0 failed, 0 skipped\n$/);
  t.notMatch(text, new RegExp(`${API_TOKEN}|test-api-password`));
});

t.test('what is wrong is named, and what needs it is skipped', async (t) => {
  const password = await smoke(node.url, '--password', 'another-password-9', '--without-uploads');
  t.equal(password.code, 1);
  t.match(outcomes(password.report), {
    health: 'ok',
    webhook: 'failed',
    duplicate: 'skipped',
    effect: 'skipped',
  });
  t.match(
    password.report.checks.find(({ id }) => id === 'webhook'),
    { found: /401/, advice: /--password/ },
  );

  const token = await smoke(node.url, '--endpoint-token', 'another', '--without-uploads');
  t.match(
    token.report.checks.find(({ id }) => id === 'webhook'),
    { found: /404/, advice: /--endpoint-token/ },
  );

  const api = await smoke(node.url, '--token', 'another-token-0123456789');
  t.equal(api.code, 1);
  t.match(outcomes(api.report), {
    webhook: 'ok',
    forged: 'ok',
    api: 'failed',
    effect: 'skipped',
    upload: 'skipped',
  });

  const nobody = await smoke(`http://127.0.0.1:${await freePort()}`);
  t.equal(nobody.code, 1);
  t.match(outcomes(nobody.report), {
    health: 'failed',
    api: 'skipped',
    webhook: 'skipped',
    upload: 'skipped',
  });
  t.match(nobody.report.checks[0], { found: /does not answer: .*ECONNREFUSED/ });

  const address = await spawnCli(['smoke', 'no address'], env);
  t.equal(address.code, 78);
  t.match(address.stderr, /TETHER_URL|--url/);
});

/** Passes what comes on to the node, and tells of it first. */
async function before(t: Test, onRequest: (line: string) => void): Promise<string> {
  const { url } = await serve(t, (request, response) => {
    const { method, url: path, headers } = request;
    onRequest(`${method} ${path}`);
    const passedOn = httpRequest(new URL(path ?? '/', node.url), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passedOn.on('error', () => response.destroy());
    request.pipe(passedOn);
  });
  return url;
}

t.test('no effect within the time is a failure, and an interruption takes back what it made', async (t) => {
  const paused = async (actor: string, word: string) =>
    t.equal(
      (
        await fetch(`${node.url}/api/pools/${actor}/${word}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${API_TOKEN}` },
        })
      ).status,
      200,
    );
  await paused('payment', 'pause');
  const late = await smoke(node.url, '--deadline', '1', '--without-uploads');
  t.match(
    late.report.checks.find(({ id }) => id === 'effect'),
    { outcome: 'failed', found: /after 1 s/ },
  );
  await paused('payment', 'resume');

  await paused('upload', 'pause');
  const stored = async () => (await pool.query("select 1 from uploads where state = 'stored'")).rowCount;
  const lines: string[] = [];
  const url = await before(t, (line) => lines.push(line));
  const child = spawn(process.execPath, [CLI, 'smoke', url, '--json', '--deadline', '100'], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  const closed = once(child, 'close');
  // The file alone does not say that the step that sends it is over.
  const asks = () => lines.some((line) => line.startsWith('GET /uploads/'));
  await until('its file waits, and is asked for', async () => asks() && (await stored()) === 1, 20_000);
  child.kill('SIGINT');
  t.strictSame(await closed, [130, null]);
  const { checks } = JSON.parse(stdout) as Report;
  t.match(checks.at(-1), { id: 'clean-up', outcome: 'ok' });
  t.match(
    checks.find(({ id }) => id === 'processing'),
    { outcome: 'failed', found: /interrupted|abort/i },
  );
  await paused('upload', 'resume');
});
