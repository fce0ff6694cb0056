/** A cluster of node processes on one real Redis and one real Postgres. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../runtime/testing/until.js';
import { startTestPostgres, type TestPostgres } from '../../storage/postgres/test-server.js';
import { startTestRedis, type TestRedis } from '../../storage/redis/test-redis-server.js';
import { freePort } from '../../storage/test-free-port.js';
import { metricOf } from './node-metrics-text.js';
import { isAlive, type NodeProcess, startNodeProcess } from './node-process.js';

interface Tap {
  teardown(work: () => Promise<void>): void;
}

export interface ClusterNodes {
  readonly redis: TestRedis;
  readonly postgres: TestPostgres;
  readonly urls: readonly string[];
  /** The process of place `at`, which has been started. */
  node(at: number): NodeProcess;
  /** A process of its own, on the same port as the one before it; serves when it resolves. */
  start(at: number, env?: Readonly<Record<string, string>>): Promise<NodeProcess>;
  /** How many partitions each place owns; a process that is down owns none. */
  owned(): Promise<readonly number[]>;
}

export const PARTITIONS = 64;

/** Of `count` places, none is started. */
export async function startCluster(
  t: Tap,
  count: number,
  redisSettings: readonly string[] = [],
): Promise<ClusterNodes> {
  const directory = await mkdtemp(join(tmpdir(), 'tether-cluster-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const redis = await startTestRedis(t, redisSettings);
  const postgres = await startTestPostgres(t);
  const ports: number[] = [];
  for (let at = 0; at < count; at++) ports.push(await freePort());
  const processes: NodeProcess[] = [];
  const all = new Set<NodeProcess>();
  t.teardown(async () => {
    for (const node of all) if (isAlive(node.pid)) await node.killTree((pids) => pids);
  });
  const node = (at: number): NodeProcess => {
    const found = processes[at];
    if (found === undefined) throw new Error(`place ${at} was not started`);
    return found;
  };
  return {
    redis,
    postgres,
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    node,
    async start(at, env = {}) {
      const started = startNodeProcess({
        port: ports[at] ?? 0,
        dataDir: join(directory, `${at}`),
        env: {
          TETHER_REDIS_URL: redis.url,
          TETHER_DATABASE_URL: postgres.url,
          TETHER_PARTITIONS: `${PARTITIONS}`,
          // Several processes share the machine as it is.
          TETHER_THREADS: '1',
          ...env,
        },
      });
      processes[at] = started;
      all.add(started);
      await started.ready;
      return started;
    },
    owned: () =>
      Promise.all(
        ports.map((port) =>
          metricOf(`http://127.0.0.1:${port}`, 'tether_cluster_partitions_owned').catch(() => 0),
        ),
      ),
  };
}

/** Until these places own all partitions, in equal shares. */
export async function untilShared(
  cluster: ClusterNodes,
  places: readonly number[],
  msMax = 30_000,
): Promise<void> {
  const most = Math.ceil(PARTITIONS / places.length);
  await until(
    `places ${places.join(', ')} share the partitions`,
    async () => {
      const owned = await cluster.owned();
      return (
        owned.reduce((sum, each) => sum + each, 0) === PARTITIONS &&
        places.every((at) => (owned[at] ?? 0) > 0 && (owned[at] ?? 0) <= most)
      );
    },
    msMax,
  );
}

/** The notification of sale number `n`: the same again for the same number. Rejects when a node that is away does not answer. */
export async function sendNotification(
  url: string,
  n: number,
  more: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const id = createHash('md5').update(`${n}`).digest('hex');
  const signature = createHash('sha1').update(`${id}test-api-password-1`).digest('hex');
  const body = new URLSearchParams({
    unique_id: id,
    transaction_type: 'sdd_sale',
    status: 'approved',
    amount: '4999',
    currency: 'EUR',
    ...more,
    signature,
  });
  return fetch(`${url}/webhooks/emp/dev`, { method: 'POST', body, signal: AbortSignal.timeout(15_000) });
}
