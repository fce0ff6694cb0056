/**
 * Messages a second of 1, 2, 4 and 8 worker processes, whose actor waits for each batch.
 *
 * A backlog is appended first. Then the workers join and share the partitions, and when each has its share, they work: the rate is that of a window in
 * which every worker has a backlog, so that neither the start nor the end is in it. Then they work the rest off, and what the actors have
 * handled is counted: less than was appended ends the run.
 */
import type { Redis } from 'ioredis';
import { cpuSeconds } from '../harness/process-stats.js';
import {
  joined,
  type LogPlace,
  progressed,
  progressOf,
  redisCpuSeconds,
  sayOf,
  startProducer,
  startWorker,
} from './nodes.js';
import { PARTITIONS, PER_FRAME, WAIT_MS, WAITING_BATCH } from './work.js';

export const WORKERS = [1, 2, 4, 8] as const;
/** Of one worker: what the waits leave. */
export const LIMIT_PER_SECOND = (WAITING_BATCH * 1_000) / WAIT_MS;
/** Before the window: it lets the first batches pass. */
const SETTLE_MS = 500;
/** Of backlog beyond the window. */
const REST_SECONDS = 2.5;

export interface ScalingRun {
  readonly perSecond: number;
  /** Busy in the window. */
  readonly workerCores: number;
  readonly redisCores: number;
  /** Partitions of the worker that has least, and of the one that has most. */
  readonly owned: readonly [least: number, most: number];
  /** From the order to join until every partition has its owner. */
  readonly placedSeconds: number;
  /** Handled above what was appended: delivered twice. */
  readonly surplus: number;
  /** Leases that ended before they were given back: of a worker that got no CPU for seconds. */
  readonly lost: number;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function measureScaling(
  redis: Redis,
  place: LogPlace,
  count: number,
  windowSeconds: number,
): Promise<ScalingRun> {
  const group = PARTITIONS * PER_FRAME;
  const wanted = LIMIT_PER_SECOND * count * (windowSeconds + REST_SECONDS);
  const backlog = Math.ceil(wanted / group) * group;
  const producer = await startProducer(place);
  await producer.produce(backlog).finally(producer.stop);
  const starts = Array.from({ length: count }, (_, node) => startWorker(place, node));
  try {
    const workers = await Promise.all(starts);
    const placedSeconds = await joined(workers);
    await Promise.all(workers.map((worker) => worker.tell({ order: 'work' })));
    await wait(SETTLE_MS);

    const cpu = () => workers.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
    const [cpuBefore, redisBefore] = [cpu(), await redisCpuSeconds(redis)];
    const before = await progressOf(redis, place);
    await wait(windowSeconds * 1_000);
    const after = await progressOf(redis, place);
    const seconds = (after.atMs - before.atMs) / 1_000;
    const workerCores = (cpu() - cpuBefore) / seconds;
    const redisCores = ((await redisCpuSeconds(redis)) - redisBefore) / seconds;
    const said = await sayOf(workers);
    const leftMin = Math.min(...said.map(({ left }) => left));
    if (leftMin < WAITING_BATCH) throw new Error(`${count} workers: one of them had no backlog any more`);
    const owned = said.map(({ owned }) => owned);

    await progressed(redis, place, 'everything is done', ({ committed, end }) => committed === end);
    const ended = await sayOf(workers);
    const lost = ended.reduce((sum, worker) => sum + worker.lost, 0);
    const handled = ended.reduce((sum, worker) => sum + worker.handled, 0);
    if (handled < backlog)
      throw new Error(`${count} workers: ${backlog} messages appended, ${handled} handled`);
    return {
      perSecond: (after.committed - before.committed) / seconds,
      workerCores,
      redisCores,
      owned: [Math.min(...owned), Math.max(...owned)],
      placedSeconds,
      surplus: handled - backlog,
      lost,
    };
  } finally {
    const started = await Promise.allSettled(starts);
    await Promise.all(
      started.map((start) => (start.status === 'fulfilled' ? start.value.stop() : undefined)),
    );
  }
}
