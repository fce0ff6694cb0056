/**
 * A rolling restart of every node behind HAProxy, under webhooks and uploads that come all the time: no request fails, and nothing that was
 * acknowledged is lost or done twice, on a schema that a later release has added to. Then a gateway is killed, and a third node of each role joins and takes its share.
 *
 * Nobody sends anything twice here: a request that fails is a failure of the test. WEBHOOKS_PER_SECOND (default 100; `npm run test:rolling`: 500).
 */
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { migrate } from '../../storage/postgres/index.js';
import { type Migration, migrations } from '../../storage/postgres/migrations/index.js';
import { empTraffic } from '../send/emp-traffic.js';
import { sendEmp } from '../send/send-emp.js';
import { type ClusterNodes, PARTITIONS, startCluster, untilShared } from './cluster-nodes.js';
import { DebtorFile } from './debtor-file.js';
import { startHaproxy } from './haproxy.js';
import { metricOf } from './node-metrics-text.js';
import { isAlive } from './node-process.js';

const RATE = Number(process.env.WEBHOOKS_PER_SECOND ?? 100);
const COUNT_MAX = RATE * 600;
const GATEWAYS = [0, 1, 2] as const;
const WORKERS = [3, 4, 5] as const;
const API_TOKEN = 'token-of-a-test-0123456789';
const ROWS = 400;
/** A body comes in for two seconds: some of them are on their way whenever a node stops. */
const PIECES = 20;
const PIECE_MS = 100;
const UPLOADERS = 2;
const SEED = 7;

const LATER: Migration = {
  version: migrations.length + 1,
  name: 'later',
  readableFrom: migrations.length,
  sql: `CREATE TABLE later (n integer);
        ALTER TABLE events ADD COLUMN later text;
        ALTER TABLE uploads ADD COLUMN later integer NOT NULL DEFAULT 1;`,
};

t.setTimeout(180_000);

interface Sent {
  readonly status: number;
  readonly id: string;
  readonly file: DebtorFile;
}

/** Uploads one file after the other until it is told to stop; resolves with all of them. Rejects when a connection breaks. */
async function uploader(url: string, first: number, isOver: () => boolean): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  for (let n = 0; !isOver(); n++) {
    const file = await DebtorFile.make(ROWS, first + n * UPLOADERS);
    const response = await fetch(`${url}/uploads?filename=debtors.csv`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'text/csv' },
      body: Readable.toWeb(Readable.from(slowly(file.bytes))) as ReadableStream,
      duplex: 'half',
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    const { id = text } = response.status === 201 ? (JSON.parse(text) as { readonly id: string }) : {};
    sent.push({ status: response.status, id, file });
  }
  return sent;
}

async function* slowly(bytes: Buffer): AsyncGenerator<Buffer> {
  const size = Math.ceil(bytes.length / PIECES);
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
    await delay(PIECE_MS);
  }
}

function startWebhooks(url: string) {
  const over = new AbortController();
  let done = 0;
  const traffic = { seed: SEED, count: COUNT_MAX, duplicates: 0.1, password: 'test-api-password-1' };
  const summary = sendEmp({
    ...traffic,
    url,
    endpoint: 'emp',
    token: 'dev',
    rate: RATE,
    connections: 24,
    deadlineMsMax: 20_000,
    signal: over.signal,
    onProgress: (progress) => {
      done = progress.done;
    },
  });
  return {
    done: () => done,
    async stop() {
      over.abort();
      return summary;
    },
    /** The deduplication keys of the first `count`. */
    keys(count: number): readonly string[] {
      const keys = new Set<string>();
      for (const { index, dedupe } of empTraffic(traffic)) {
        if (index >= count) break;
        keys.add(dedupe);
      }
      return [...keys].sort();
    },
  };
}

/** A gateway that has begun anew gets its share: it has acknowledged some webhooks in this life. */
function untilTakes(cluster: ClusterNodes, at: number): Promise<void> {
  const series = 'tether_gateway_requests_total{endpoint="emp",outcome="acknowledged"}';
  const acknowledged = () => metricOf(cluster.urls[at] ?? '', series).catch(() => 0);
  return until(`gateway ${at} takes its share`, async () => (await acknowledged()) > RATE / 8, 20_000);
}

async function restart(
  t: Test,
  cluster: ClusterNodes,
  at: number,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  t.equal(await cluster.node(at).stop('SIGTERM'), 0, `place ${at} drains`);
  t.notMatch(cluster.node(at).output(), /did not drain in time|ended before it was given back/);
  await cluster.start(at, env);
}

t.test('a rolling restart, a kill, a third node', async (t) => {
  const s3 = await startTestS3Server(t);
  const cluster = await startCluster(t, GATEWAYS.length + WORKERS.length);
  const env = (role: 'gateway' | 'worker') => ({
    TETHER_ROLE: role,
    TETHER_S3_URL: s3.url('rolling'),
    TETHER_API_TOKEN: API_TOKEN,
    TETHER_TRUSTED_PROXIES: '127.0.0.1/32',
    TETHER_DRAIN_NOTICE_MS: '1500',
  });
  const running = [0, 1, 3, 4];
  const roleOf = (at: number) => (at < GATEWAYS.length ? 'gateway' : 'worker');
  await Promise.all(running.map((at) => cluster.start(at, env(roleOf(at)))));
  await untilShared(cluster, [3, 4]);
  // The third is named from the beginning, and is not there yet.
  const ports = GATEWAYS.map((at) => Number(new URL(cluster.urls[at] ?? '').port));
  const url = `http://127.0.0.1:${await startHaproxy(t, ports)}`;

  // A later release has begun to roll out, and is taken back: what starts from here on is the release before, on a schema that is ahead.
  await migrate(cluster.postgres.url, { logger: silentLogger, migrations: [...migrations, LATER] });

  const webhooks = startWebhooks(url);
  // A test that fails on the way ends them as well.
  t.teardown(() => webhooks.stop());
  let uploadsOver = false;
  const uploads = Array.from({ length: UPLOADERS }, (_, n) => uploader(url, n, () => uploadsOver));
  for (const each of uploads) each.catch(() => undefined);
  await until('it is in full swing', () => webhooks.done() > RATE);

  let sent: readonly Sent[] = [];
  await t.test('every node is restarted: nobody notices', async (t) => {
    // One of each role at a time.
    for (const pair of [
      [0, 3],
      [1, 4],
    ] as const) {
      const before = webhooks.done();
      await Promise.all(pair.map((at) => restart(t, cluster, at, env(roleOf(at)))));
      await untilTakes(cluster, pair[0]);
      await untilShared(cluster, [3, 4]);
      t.ok(webhooks.done() > before, 'and webhooks went on');
    }
    uploadsOver = true;
    sent = (await Promise.all(uploads)).flat();
    t.strictSame(
      sent.filter(({ status }) => status !== 201).map(({ status, id }) => `${status} ${id}`),
      [],
      `each of ${sent.length} uploads was taken at its first try`,
    );
    t.ok(sent.length > UPLOADERS * 2);
  });

  await t.test('a gateway is killed: its traffic goes to the other one, and comes back', async (t) => {
    await cluster.node(0).killTree((pids) => pids);
    t.notOk(isAlive(cluster.node(0).pid));
    const before = webhooks.done();
    await until('it goes on', () => webhooks.done() > before + RATE);
    await cluster.start(0, env('gateway'));
    await untilTakes(cluster, 0);
  });

  await t.test('a third node of each role joins and takes its share', async (t) => {
    await Promise.all([cluster.start(2, env('gateway')), cluster.start(5, env('worker'))]);
    await untilShared(cluster, WORKERS);
    t.equal(
      (await cluster.owned()).reduce((sum, each) => sum + each, 0),
      PARTITIONS,
    );
    await untilTakes(cluster, 2);
  });

  const summary = await webhooks.stop();
  t.comment(JSON.stringify(summary));
  t.match(summary, { retries: 0, rejected: {}, gaveUp: null, acknowledged: summary.sent });
  const wanted = webhooks.keys(summary.sent);
  const { pool } = cluster.postgres;
  const found = async () =>
    (await pool.query<{ dedupe: string }>('SELECT dedupe FROM events')).rows.map(({ dedupe }) => dedupe);
  await until('all of it is processed', async () => (await found()).length >= wanted.length, 30_000);
  t.strictSame((await found()).sort(), wanted, 'each once');
  for (const { id, file } of sent) {
    const shown = async () =>
      (await (
        await fetch(`${url}/uploads/${id}`, { headers: { authorization: `Bearer ${API_TOKEN}` } })
      ).json()) as { readonly state: string };
    await until(`${id} is done`, async () => (await shown()).state === 'completed', 30_000);
    t.match(await shown(), { sha256: file.sha256, counts: file.counts });
  }
});
