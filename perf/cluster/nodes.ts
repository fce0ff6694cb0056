/** The processes of the scenarios of the cluster, and what the log in Redis says of them: read from Redis, not asked of those that are measured. */
import type { Redis } from 'ioredis';
import { LogKeys } from '../../storage/redis-log/keys.js';
import { type Child, startChild } from '../harness/child.js';
import {
  type ActorName,
  PARTITIONS,
  type Produced,
  type ProduceOrder,
  type WorkerOrder,
  type WorkerSaid,
} from './work.js';

const ANSWER_MS_MAX = 120_000;
const PLACED_MS_MAX = 30_000;
const LOOK_MS = 10;

/** A log in Redis: the server, and what stands before its keys. */
export interface LogPlace {
  readonly url: string;
  readonly prefix: string;
  readonly actor: ActorName;
}

export interface Progress {
  /** When it was asked for, as `performance.now()` says it. */
  readonly atMs: number;
  readonly committed: number;
  readonly end: number;
}

export async function startProducer(place: LogPlace) {
  const child = await startChild(new URL('./producer.js', import.meta.url), argsOf(place));
  const produce = async (count: number) =>
    (await child.ask({ count } satisfies ProduceOrder, ANSWER_MS_MAX)) as Produced;
  return { ...child, produce };
}

export interface Worker extends Child<unknown> {
  tell(order: WorkerOrder): Promise<WorkerSaid>;
}

export async function startWorker(place: LogPlace, node: number): Promise<Worker> {
  const args = [...argsOf(place), `worker-${node}`];
  const child = await startChild(new URL('./worker.js', import.meta.url), args);
  return { ...child, tell: async (order) => (await child.ask(order, ANSWER_MS_MAX)) as WorkerSaid };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export const sayOf = (workers: readonly Worker[]) =>
  Promise.all(workers.map((worker) => worker.tell({ order: 'say' })));

/** Has them join, and resolves when each partition has its owner and each worker its share. Seconds that it took. */
export async function joined(workers: readonly Worker[]): Promise<number> {
  const startMs = performance.now();
  await Promise.all(workers.map((worker) => worker.tell({ order: 'join' })));
  for (;;) {
    const said = await sayOf(workers);
    const ms = performance.now() - startMs;
    const hasShare = said.every(({ owned, placed }) => owned > 0 && owned === placed);
    if (hasShare && said.reduce((sum, { owned }) => sum + owned, 0) === PARTITIONS) return ms / 1_000;
    if (ms > PLACED_MS_MAX) {
      const shares = said.map(({ owned, placed }) => `${owned} of ${placed}`).join(', ');
      throw new Error(`after ${PLACED_MS_MAX} ms workers own ${shares} partitions`);
    }
    await wait(LOOK_MS);
  }
}

const argsOf = ({ url, prefix, actor }: LogPlace) => [url, prefix, actor];

export async function progressOf(redis: Redis, { prefix, actor }: LogPlace): Promise<Progress> {
  const keys = new LogKeys(prefix);
  const asked = performance.now();
  const states = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, index) =>
      redis.hmget(keys.of(actor, index).state, 'committed', 'end'),
    ),
  );
  const offsets = states.map(([committed, end]) => [Number(committed ?? 0), Number(end ?? 0)] as const);
  return {
    atMs: (asked + performance.now()) / 2,
    committed: offsets.reduce((sum, [committed]) => sum + committed, 0),
    end: offsets.reduce((sum, [, end]) => sum + end, 0),
  };
}

/** Resolves with the first progress of which it is true. @throws Error (rejects) after `deadlineMs` */
export async function progressed(
  redis: Redis,
  place: LogPlace,
  what: string,
  isThere: (progress: Progress) => boolean,
  deadlineMs = ANSWER_MS_MAX,
): Promise<Progress> {
  const startMs = performance.now();
  for (;;) {
    const progress = await progressOf(redis, place);
    if (isThere(progress)) return progress;
    if (performance.now() - startMs > deadlineMs)
      throw new Error(`not within ${deadlineMs} ms: ${what}; ${JSON.stringify(progress)}`);
    await wait(LOOK_MS);
  }
}

/** CPU seconds of a Redis server so far, of its main thread and all others. */
export async function redisCpuSeconds(redis: Redis): Promise<number> {
  const text = await redis.info('cpu');
  const read = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  return read('used_cpu_sys') + read('used_cpu_user');
}
