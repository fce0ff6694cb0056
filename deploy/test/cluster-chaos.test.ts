/**
 * P1, P2 and P3 in a cluster: three nodes take webhooks while nodes are killed, paused past their leases and restarted, and Redis and
 * Postgres are killed and started again. Afterwards every acknowledged message has exactly one row, and per key in order.
 *
 * CLUSTER_SECONDS (default 6), CLUSTER_RATE (default 200 a second) and SEED repeat a run; `npm run test:cluster` takes 60 s at 2,000.
 */
import t, { type Test } from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../storage/postgres/index.js';
import type { TestPostgres } from '../../storage/postgres/test-server.js';
import { createRandom } from '../send/random.js';
import { type ClusterNodes, startCluster, untilShared } from './cluster-nodes.js';
import { checkLanes } from './lane-check.js';
import { LaneLoad } from './lane-load.js';
import { lagOf, metricOf } from './node-metrics-text.js';

const SECONDS = Number(process.env.CLUSTER_SECONDS ?? 6);
const RATE = Number(process.env.CLUSTER_RATE ?? 200);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
const NODES = 3;
/** A lane sends one message at a time, and hangs for a second at a node that is paused: so many keep the rate up all the same. */
const LANES = Math.max(48, Math.round(RATE / 5));
/** A lease lasts three seconds. */
const PAUSE_MS_MIN = 3_500;
const PAUSE_MS_MAX = 6_000;

t.setTimeout(240_000 + SECONDS * 2_000);

t.test(`${SECONDS} s of faults at ${RATE} webhooks a second`, async (t) => {
  t.comment(`SEED=${SEED}`);
  const random = createRandom(SEED);
  const fraction = () => random.next() / 2 ** 32;
  const between = (min: number, max: number) => min + fraction() * (max - min);
  const places = Array.from({ length: NODES }, (_, at) => at);
  // What Redis has acknowledged must outlive its SIGKILL; with `everysec` it does too, as the kernel has it, but not by promise.
  const cluster = await startCluster(t, NODES, ['--appendfsync', 'always']);
  await Promise.all(places.map((at) => cluster.start(at)));
  await untilShared(cluster, places);

  const load = new LaneLoad({
    urls: cluster.urls,
    lanes: LANES,
    random: fraction,
    ratePerSecond: RATE,
    // A node that is paused answers nobody.
    answerMsMax: 1_000,
  });
  const end = Date.now() + SECONDS * 1_000;
  const done: Record<string, number> = { killed: 0, paused: 0, 'Redis killed': 0, 'Postgres killed': 0 };
  const again = async (pauseMs: () => number, fault: () => Promise<string>) => {
    for (;;) {
      await passed(pauseMs());
      if (Date.now() >= end) return;
      const name = await fault();
      done[name] = (done[name] ?? 0) + 1;
    }
  };
  // In turn: so a short run has both.
  let isKillNext = fraction() < 0.5;
  await Promise.all([
    again(
      () => between(200, 1_500),
      () => {
        const isKill = isKillNext;
        isKillNext = !isKill;
        return faultOfNode(cluster, Math.floor(fraction() * NODES), isKill, between);
      },
    ),
    again(
      () => between(4_000, 9_000),
      async () => {
        await cluster.redis.kill();
        await passed(between(0, 1_500));
        await cluster.redis.start();
        return 'Redis killed';
      },
    ),
    again(
      () => between(4_000, 9_000),
      async () => {
        await killPostgres(t, cluster);
        return 'Postgres killed';
      },
    ),
  ]);
  t.comment(`faults: ${JSON.stringify(done)}`);
  await untilShared(cluster, places, 60_000);
  const before = load.acknowledged.total;
  await until(
    'messages are acknowledged after the last fault',
    () => load.acknowledged.total > before + LANES,
  );
  await load.stop();
  t.comment(`${load.acknowledged.total} messages acknowledged`);
  t.ok(load.acknowledged.total > SECONDS * 20, 'the load was worth the name');
  await until(
    'everything acknowledged is processed, and every node knows',
    async () => (await Promise.all(cluster.urls.map(lagOf))).every((lag) => lag === 0),
    90_000,
  ).catch(async (error: unknown) => {
    for (const url of cluster.urls) t.comment(await (await fetch(`${url}/metrics`)).text());
    for (const at of places) t.comment(cluster.node(at).output());
    throw error;
  });
  await checkLanes(t, cluster.postgres.pool, load.acknowledged);
  for (const url of cluster.urls) t.equal(await metricOf(url, 'tether_dead_letters_written_total'), 0);
});

async function faultOfNode(
  cluster: ClusterNodes,
  at: number,
  isKill: boolean,
  between: (min: number, max: number) => number,
): Promise<string> {
  const node = cluster.node(at);
  if (isKill) {
    await node.killTree((pids) => pids);
    await passed(between(0, 2_000));
    await cluster.start(at);
    return 'killed';
  }
  process.kill(node.pid, 'SIGSTOP');
  await passed(between(PAUSE_MS_MIN, PAUSE_MS_MAX));
  process.kill(node.pid, 'SIGCONT');
  return 'paused';
}

/** The servers that run now, of those that were killed. */
const servers = new Map<TestPostgres, EmbeddedPostgres>();

/** All of its processes; it recovers on the same port. */
async function killPostgres(t: Test, { postgres }: ClusterNodes): Promise<void> {
  const port = Number(new URL(postgres.url).port);
  const before = servers.get(postgres) ?? postgres.server;
  process.kill(before.pid, 'SIGKILL');
  await before.exited;
  const server = await startEmbeddedPostgres({ dataDir: postgres.dataDir, port, logger: silentLogger });
  servers.set(postgres, server);
  t.teardown(() => server.stop());
}

/** The random moment of a fault: what is waited for is the time itself. */
function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
