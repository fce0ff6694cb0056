/**
 * A worker node: log, leases, agent and actors as `tether start` has them, with the agent's default times, without gateway and Postgres.
 *
 * Arguments: Redis URL, prefix of the log, actor, name of the node. Does as `WorkerOrder` says and answers with `WorkerSaid`.
 */
import { randomUUID } from 'node:crypto';
import { createLogger } from '../../deploy/logger.js';
import { ActorSystem } from '../../runtime/actor-system.js';
import { monotonicClock } from '../../runtime/clock.js';
import { ClusterAgent } from '../../runtime/cluster/agent.js';
import { DEFAULT_POLICY } from '../../runtime/cluster/policy.js';
import { createClient } from '../../storage/redis/client.js';
import { parseRedisUrl, type RedisPlace } from '../../storage/redis/url.js';
import { RedisLeases } from '../../storage/redis-leases/leases.js';
import { openRedisLog } from '../../storage/redis-log/open.js';
import type { RedisPartition } from '../../storage/redis-log/partition.js';
import { type ActorSettings, PARTITIONS, type WorkerOrder, type WorkerSaid } from './work.js';

const LOOK_MS = 1;
/** Until the offsets of what was handled are written down, which is part of the cost. */
const SETTLE_MS = 50;
const DEADLINE_MS = 60_000;
const REPLY_MS_MAX = 500;
const MODULES: Readonly<Record<string, URL>> = {
  waiting: new URL('./waiting-actor.js', import.meta.url),
  counting: new URL('./counting-actor.js', import.meta.url),
};

const [url = '', prefix = '', actor = '', node = ''] = process.argv.slice(2);
const logger = createLogger({ level: 'warn' });
const log = await openRedisLog({ url, prefix, partitions: PARTITIONS, logger });
const partitions = log.open(actor);
const handled = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
const counter = new Int32Array(handled);
const system = await ActorSystem.start({
  log,
  // No message may fail here.
  deadLetters: {
    put: async (letters) => {
      logger.error({ cause: letters[0]?.cause }, 'a message became a dead letter');
      process.exit(1);
    },
  },
  actors: [{ module: MODULES[actor] ?? '', settings: { handled } satisfies ActorSettings }],
  ownership: 'none',
  logger,
});
const partitionAt = (index: number) => partitions[index] as RedisPartition;
const place = parseRedisUrl(url) as RedisPlace;
const client = createClient(place, {
  name: 'bench-leases',
  patience: 'fails-fast',
  replyMsMax: REPLY_MS_MAX,
});
const subscriber = createClient(place, {
  name: 'bench-news',
  patience: 'subscribes',
  replyMsMax: REPLY_MS_MAX,
});
const incarnation = randomUUID();
const agent = new ClusterAgent({
  node,
  incarnation,
  partitions: PARTITIONS,
  leases: new RedisLeases({
    client,
    subscriber,
    prefix,
    holder: `${node}/${incarnation}`,
    ttlMs: DEFAULT_POLICY.ttlMs,
  }),
  work: {
    claim: async (index) => new Map([[actor, await log.claim(partitionAt(index))]]),
    adopt: (index, epochs) => system.adopt(index, (type) => epochs.get(type)),
    async giveUp(index, deadlineMs) {
      await system.giveUp(index, deadlineMs);
      await log.leave(partitionAt(index));
    },
    drop(index) {
      system.drop(index);
      log.abandon(partitionAt(index));
    },
  },
  clock: monotonicClock,
  logger,
});
for (const partition of partitions) partition.onLost = () => agent.lost(partition.index);

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Pauses the pool behind `count` messages. */
async function pass(count: number): Promise<Pick<WorkerSaid, 'seconds' | 'cpuSeconds'>> {
  const end = Atomics.load(counter, 0) + count;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  system.resumePool(actor);
  while (Atomics.load(counter, 0) < end) {
    if (performance.now() - startMs > DEADLINE_MS)
      throw new Error(`not ${count} messages in ${DEADLINE_MS} ms`);
    await wait(LOOK_MS);
  }
  await system.drainPool(actor, DEADLINE_MS);
  const seconds = (performance.now() - startMs) / 1_000;
  await wait(SETTLE_MS);
  const { user, system: kernel } = process.cpuUsage(cpuBefore);
  return { seconds, cpuSeconds: (user + kernel) / 1e6 };
}

async function obey(order: WorkerOrder): Promise<WorkerSaid> {
  if (order.order === 'join') {
    system.pausePool(actor);
    agent.start();
  }
  if (order.order === 'work') system.resumePool(actor);
  const passed = order.order === 'pass' ? await pass(order.count) : { seconds: 0, cpuSeconds: 0 };
  const { owned, placed, lost } = agent.stats();
  const left = owned.reduce((sum, index) => sum + partitionAt(index).end - partitionAt(index).committed, 0);
  return { placed, owned: owned.length, lost, left, handled: Atomics.load(counter, 0), ...passed };
}

process.on('message', async (order: WorkerOrder) => process.send?.(await obey(order)));
process.on('SIGTERM', async () => {
  // Nobody waits for what it holds: it does not leave the cluster before.
  await system.drain();
  await log.close();
  for (const each of [client, subscriber]) each.disconnect();
  process.exit(0);
});
process.send?.({});
