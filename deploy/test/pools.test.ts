/** A running node whose pools are changed over the command line and the API, killed, and started again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { copyTestData } from '../../storage/postgres/test-data.js';
import { freePort } from '../../storage/test-free-port.js';
import { listAudit } from '../commands/audit-run.js';
import { tellPool } from '../commands/pools-run.js';
import { postgresDir } from '../data-dir.js';
import { isAlive, startNodeProcess } from './node-process.js';
import { spawnCli } from './spawn-cli.js';

t.setTimeout(120_000);

const TOKEN = 'a-token-of-some-length';

t.test('a pool is changed under load; a crash keeps it, and whoever changed it is known', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tether-pools-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  await copyTestData(postgresDir(dataDir));
  const port = await freePort();
  const env = { TETHER_API_TOKEN: TOKEN, TETHER_THREADS: '1' };
  const start = async () => {
    const node = startNodeProcess({ port, dataDir, env });
    t.teardown(async () => {
      if (isAlive(node.pid)) await node.killTree((pids) => pids);
    });
    await node.ready;
    // It takes messages before its actors have started.
    await until('its pools are there', async () => (await get('/api/pools')).pools !== undefined, 60_000);
    return node;
  };
  const url = `http://127.0.0.1:${port}`;
  const asked = { TETHER_URL: url, TETHER_API_TOKEN: TOKEN };
  const tether = (...args: string[]) => spawnCli(args, asked);
  const get = async (path: string) => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
    return answer.json() as Promise<Record<string, never>>;
  };
  const payment = () => get('/api/pools/payment');

  const first = await start();
  t.match(await tether('pools'), {
    code: 0,
    stdout: /^ACTOR +MODE .*\npayment +running +1 +1 +1 +500 +20 +2048 +-\n/,
  });
  const load = tether('send', 'emp', '--count', '1500', '--rate', 'max');
  await until('messages come', async () => Number((await payment()).done) > 0);
  const set = await tether(
    'pools',
    'set',
    'payment',
    '--min',
    '2',
    '--max',
    '2',
    '--batch',
    '50',
    '--in-flight',
    '100',
  );
  t.match(set, {
    code: 0,
    stdout: /payment +running .*2 \(1\) +2 \(1\) +50 \(500\) +20 +100 \(2048\).*operator\nin brackets/,
  });
  t.match(await load, { code: 0 });
  await until('all are handled, by two threads', async () => {
    const { done, threads, resizing } = await payment();
    return Number(done) >= 1_500 && threads === 2 && !resizing;
  });
  t.match(await get('/api/dead-letters'), { waiting: 0 });
  t.match(await tether('pools', 'set', 'payment', '--batch', '501'), {
    code: 1,
    stderr: /422 Unprocessable Content: allowed is .*batchMax 1 to 500/,
  });
  t.match(await tether('pools', 'set', 'payment'), { code: 64, stderr: /nothing to set/ });
  t.match(await tellPool('pause', 'upload', {}, asked), /upload +paused/);
  await first.killTree((pids) => pids);

  await start();
  await until('its second thread is there', async () => Number((await payment()).threads) === 2);
  t.match(await payment(), {
    settings: {
      current: { min: 2, max: 2, batchMax: 50 },
      file: { min: 1, max: 1, batchMax: 500 },
      differs: true,
    },
  });
  t.match(await get('/api/pools/upload'), { mode: 'paused', saved: { paused: true } });
  const findings = async () => {
    const found = (await get('/api/status')).findings as { readonly code: string }[] | undefined;
    return found?.map(({ code }) => code) ?? [];
  };
  await until('the status says so', async () => {
    const codes = await findings();
    return codes.includes('pool-paused') && codes.includes('settings-differ');
  });
  t.match(await tether('drain', 'payment', '--deadline', '20'), {
    code: 0,
    stdout: 'payment is drained: nothing is in flight\n',
  });
  t.match(await tellPool('resume', 'payment', {}, asked), /payment +running/);
  t.match(await tellPool('resume', 'upload', {}, asked), /upload +running/);
  t.match(await tellPool('reset', 'payment', {}, asked), /payment +running .* 1 +1 +500 +20 +2048 /);
  t.match(await tether('audit', '--action', 'pool.change'), {
    code: 0,
    stdout:
      /operator +pool.change +payment +max 1 -> 2, min 1 -> 2, batchMax 500 -> 50, inFlightMax 2048 -> 100\n$/,
  });
  const all = await listAudit({ json: true, limit: 50 }, asked);
  const started = `node.start ${hostname()}/127.0.0.1:${port}`;
  t.strictSame(
    JSON.parse(all).map(({ action, target }: Record<string, string>) => `${action} ${target}`),
    [
      'pool.reset payment',
      'pool.resume upload',
      'pool.resume payment',
      'pool.drain payment',
      started,
      'pool.pause upload',
      'pool.change payment',
      started,
    ],
  );
  await until('it is as the file says', async () => Number((await payment()).threads) === 1);
  t.match(await payment(), { settings: { differs: false }, mode: 'running' });
});
