/**
 * A running node whose endpoints change under load, in its file and over the API: no answer but 200 and, of an endpoint that comes and goes, 404;
 * and what was acknowledged takes effect.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Client } from 'undici';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { createPool, embeddedPostgresUrl } from '../../storage/postgres/index.js';
import { copyTestData } from '../../storage/postgres/test-data.js';
import { freePort } from '../../storage/test-free-port.js';
import { postgresDir } from '../data-dir.js';
import { isAlive, startNodeProcess } from './node-process.js';

t.setTimeout(60_000);

const API_TOKEN = 'a-token-of-some-length';
const PATH_TOKEN = 'a-path-token-of-some-length';
const SECRET = 'a-password-that-stays';
const REWRITES = 20;
/** Of them, so many at the end of which nobody tells the node: it has to see them. */
const UNTOLD = 1;
const SENDERS = 2;
/** Served all the time; in the file and over the API in turn; over the API in turn. */
const STAY = ['stay-1', 'stay-2'];
const COME_AND_GO = ['comes', 'made'];

function notification(id: string): string {
  const signature = createHash('sha1')
    .update(id + SECRET)
    .digest('hex');
  return `unique_id=${id}&status=approved&amount=4999&currency=EUR&signature=${signature}`;
}

function content(n: number, isBroken = false): string {
  const names = n % 2 === 0 ? STAY : [...STAY, 'comes'];
  // Secrets come and go, too: each request is signed by the one that stays.
  const secrets = n % 3 === 0 ? [SECRET] : [`rotated-${n}`, SECRET];
  const entries = names.map((name) => ({
    name,
    provider: isBroken ? 'nobody' : 'emp',
    token: PATH_TOKEN,
    secrets,
  }));
  return JSON.stringify({ endpoints: entries });
}

/** As an editor writes, as one that renames does, and as Kubernetes does it. */
function rewrite(directory: string, file: string, n: number, text: string): void {
  if (n % 3 === 0) {
    rmSync(file, { force: true });
    writeFileSync(file, text);
  } else if (n % 3 === 1) {
    writeFileSync(`${file}.next`, text);
    renameSync(`${file}.next`, file);
  } else {
    mkdirSync(join(directory, `${n}`));
    writeFileSync(join(directory, `${n}`, 'endpoints.yaml'), text);
    symlinkSync(join(`${n}`, 'endpoints.yaml'), `${file}.next`);
    renameSync(`${file}.next`, file);
  }
}

async function start(t: Test) {
  const directory = mkdtempSync(join(tmpdir(), 'tether-reload-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const dataDir = join(directory, 'data');
  await copyTestData(postgresDir(dataDir));
  const file = join(directory, 'endpoints.yaml');
  writeFileSync(file, content(0));
  const env = { TETHER_API_TOKEN: API_TOKEN, TETHER_ENDPOINTS: file, TETHER_THREADS: '1' };
  const node = startNodeProcess({ port: await freePort(), dataDir, env });
  t.teardown(async () => {
    if (isAlive(node.pid)) await node.killTree((pids) => pids);
  });
  await node.ready;
  const api = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${node.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: (await answer.json()) as Record<string, never> };
  };
  const shown = async () => JSON.stringify((await api('GET', '/api/endpoints')).json);
  return { directory, dataDir, file, node, api, shown };
}

t.test('endpoints come, go and change under load, without one answer of 5xx', async (t) => {
  const { directory, dataDir, file, node, api, shown } = await start(t);
  const settings = { provider: 'emp', token: PATH_TOKEN, secrets: [SECRET] };
  await until(
    'what is saved is known',
    async () => (await api('PUT', '/api/endpoints/made', settings)).status === 200,
  );

  const answers = new Map<string, number>();
  const acknowledged: string[] = [];
  let stopped = false;
  const send = async (sender: number) => {
    const client = new Client(node.url);
    const names = [...STAY, ...COME_AND_GO];
    for (let n = 0; !stopped; n++) {
      const name = names[n % names.length] ?? '';
      const id = createHash('md5').update(`${sender}-${n}`).digest('hex');
      const { statusCode, body } = await client.request({
        method: 'POST',
        path: `/webhooks/${name}/${PATH_TOKEN}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: notification(id),
      });
      await body.dump();
      const what = `${COME_AND_GO.includes(name) ? 'comes and goes' : 'stays'}: ${statusCode}`;
      answers.set(what, (answers.get(what) ?? 0) + 1);
      if (statusCode === 200) acknowledged.push(`${name} ${id}`);
    }
    await client.close();
  };
  const senders = Array.from({ length: SENDERS }, (_, sender) => send(sender));
  const failed = Promise.all(senders);
  failed.catch(() => undefined);

  const isServed = async (n: number) => {
    const { endpoints } = (await api('GET', '/api/endpoints')).json as unknown as {
      endpoints: { name: string; secrets: unknown[] }[];
    };
    const stays = endpoints.find(({ name }) => name === 'stay-1');
    const comes = endpoints.some(({ name }) => name === 'comes');
    return comes === (n % 2 !== 0) && stays?.secrets.length === (n % 3 === 0 ? 1 : 2);
  };
  for (let n = 1; n <= REWRITES; n++) {
    const isTold = n <= REWRITES - UNTOLD;
    if (n % 8 === 0 && isTold) {
      rewrite(directory, file, n + 1, content(n, true));
      process.kill(node.pid, 'SIGHUP');
      await until('it is refused', async () => (await shown()).includes('provider: is one of emp'));
      rmSync(join(directory, `${n + 1}`), { recursive: true, force: true });
    }
    rewrite(directory, file, n, content(n));
    if (isTold) process.kill(node.pid, 'SIGHUP');
    await until(`rewrite ${n} is served`, () => isServed(n));
    const made =
      n % 2 === 0
        ? await api('PUT', '/api/endpoints/made', settings)
        : await api('DELETE', '/api/endpoints/made');
    t.equal(made.status, 200);
  }
  stopped = true;
  await failed;
  t.comment(`${JSON.stringify([...answers])}, ${acknowledged.length} acknowledged`);
  t.strictSame(
    [...answers.keys()].filter(
      (what) => !['stays: 200', 'comes and goes: 200', 'comes and goes: 404'].includes(what),
    ),
    [],
  );
  for (const what of ['stays: 200', 'comes and goes: 200', 'comes and goes: 404'])
    t.ok(answers.has(what), what);

  const metrics = await (await fetch(`${node.url}/metrics`)).text();
  const count = (endpoint: string) =>
    Number(
      new RegExp(`requests_total{endpoint="${endpoint}",outcome="acknowledged"} (\\d+)`).exec(metrics)?.[1],
    );
  for (const name of [...STAY, ...COME_AND_GO]) {
    t.equal(
      count(name),
      acknowledged.filter((one) => one.startsWith(`${name} `)).length,
      `the count of ${name} went on`,
    );
  }
  t.match(metrics, /tether_endpoints_file_refused 0\n/);

  const url = await embeddedPostgresUrl(postgresDir(dataDir));
  const pool = createPool({
    url: url ?? '',
    connectionsMax: 1,
    applicationName: 'test',
    logger: silentLogger,
  });
  t.teardown(() => pool.end());
  const kept = async () => {
    const { rows } = await pool.query<{ endpoint: string; key: string }>('SELECT endpoint, key FROM events');
    return new Set(rows.map(({ endpoint, key }) => `${endpoint} ${key}`));
  };
  await until('all of them take effect', async () => (await kept()).size >= acknowledged.length, 20_000);
  const all = await kept();
  t.strictSame(
    acknowledged.filter((one) => !all.has(one)),
    [],
  );
  t.match((await api('GET', '/api/dead-letters')).json, { waiting: 0 });
  t.notMatch(node.output(), new RegExp(`${SECRET}|${PATH_TOKEN}|rotated-`), 'no secret is in the log');
});
