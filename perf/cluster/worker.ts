/**
 * A worker node: log, leases, agent and actors, without what `tether start` has beside them.
 *
 * Arguments: Redis URL, prefix of the log, actor, name of the node, number of nodes. Does as `WorkerOrder` says and answers with `WorkerSaid`.
 */

import { createLogger } from '../../deploy/logger.js';
import { ActorSystem } from '../../runtime/actor-system.js';
import { openRedisLog } from '../../storage/redis-log/open.js';
import { type ActorSettings, PARTITIONS, type WorkerOrder, type WorkerSaid } from './work.js';

const LOOK_MS = 1;
/** Until the offsets of what was handled are written down, which is part of the cost. */
const SETTLE_MS = 50;
const DEADLINE_MS = 60_000;

const [url = '', prefix = '', actor = '', node = '', nodes = ''] = process.argv.slice(2);
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
  actors: [
    {
      module: new URL(`./${actor}-actor.js`, import.meta.url),
      settings: { handled } satisfies ActorSettings,
    },
  ],
  ownership: 'none',
  logger,
});
const owned = new Set<number>();

async function join(): Promise<void> {
  for (const partition of partitions) {
    if (partition.index % Number(nodes) !== Number(node)) continue;
    const epoch = await log.claim(partition);
    system.adopt(partition.index, () => epoch);
    owned.add(partition.index);
  }
}

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
    if (order.paused) system.pausePool(actor);
    await join();
  }
  const passed = order.order === 'pass' ? await pass(order.count) : { seconds: 0, cpuSeconds: 0 };
  const left = [...owned].reduce((sum, index) => {
    const { end = 0, committed = 0 } = partitions[index] ?? {};
    return sum + end - committed;
  }, 0);
  return { owned: owned.size, left, handled: Atomics.load(counter, 0), ...passed };
}

process.on('message', async (order: WorkerOrder) => process.send?.(await obey(order)));
process.on('SIGTERM', async () => {
  await system.drain();
  await log.close();
  process.exit(0);
});
process.send?.({});
