/** The processes of `bench:cluster`, and what the log in Redis says of them: read from Redis, not asked of those that are measured. */
import type { Redis } from 'ioredis';
import { LogKeys } from '../../storage/redis-log/keys.js';
import { type Child, startChild } from '../child.js';
import {
  type ActorName,
  PARTITIONS,
  type Produced,
  type ProduceOrder,
  type WorkerOrder,
  type WorkerSaid,
} from './work.js';

const ANSWER_MS_MAX = 120_000;
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

export async function startWorker(place: LogPlace, node: number, nodes: number): Promise<Worker> {
  const args = [...argsOf(place), `${node}`, `${nodes}`];
  const child = await startChild(new URL('./worker.js', import.meta.url), args);
  return { ...child, tell: async (order) => (await child.ask(order, ANSWER_MS_MAX)) as WorkerSaid };
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
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** CPU seconds of a Redis server so far, of its main thread and all others. */
export async function redisCpuSeconds(redis: Redis): Promise<number> {
  const text = await redis.info('cpu');
  const read = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  return read('used_cpu_sys') + read('used_cpu_user');
}
