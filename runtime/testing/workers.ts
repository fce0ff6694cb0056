/** A system of several actor types in pools of real threads, all of them workers (`actors/worker.ts`), for tests. */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import { ActorSystem } from '../actor-system.js';
import type { DeadLetter } from '../dead-letter.js';
import type { ActorEvent } from '../events.js';
import { silentLogger } from '../logger.js';
import type { PoolSize } from '../pool-size.js';
import type { ActorSystemOptions } from '../system-options.js';
import {
  type Ended,
  type Job,
  type Said,
  shared,
  sharedMemory,
  type Tally,
  type WorkerTraits,
} from './actors/worker.js';
import { MemoryLog } from './memory-log.js';
import { until } from './until.js';

interface Tap {
  teardown(action: () => Promise<void>): void;
}

export type Crew = readonly (WorkerTraits & { readonly threads?: PoolSize })[];

/** URL of a worker's module. */
export function workerModule(traits: WorkerTraits): string {
  const url = new URL('./actors/worker.js', import.meta.url);
  url.searchParams.set('traits', JSON.stringify(traits));
  return url.href;
}

/** What the actors of a crew are given, and what they say. */
export function crewOf(crew: Crew) {
  const said: Said[] = [];
  const channel = randomUUID();
  const listener = new BroadcastChannel(channel);
  listener.onmessage = (event) => said.push((event as { readonly data: Said }).data);
  listener.unref();
  const memories = crew.map(() => sharedMemory());
  const actors = crew.map(({ threads = 1, ...traits }, at) => ({
    module: workerModule(traits),
    threads,
    settings: { channel, shared: memories[at] },
  }));
  return { said, actors, close: () => listener.close(), shared: () => memories.map(shared) };
}

/** Starts a crew on a log in memory, and waits until all its threads are ready. */
export async function startWorkers(t: Tap, crew: Crew, options: Partial<ActorSystemOptions> = {}) {
  const { said, actors, close, shared } = crewOf(crew);
  const log = options.log ?? new MemoryLog(8);
  const letters: DeadLetter[] = [];
  const events: ActorEvent[] = [];
  const system = new ActorSystem({
    log,
    deadLetters: {
      put: async (put) => {
        letters.push(...put);
      },
    },
    actors,
    retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 50 },
    logger: silentLogger,
    logLevel: 'error',
    ...options,
  });
  system.events.listen((event) => events.push(event));
  t.teardown(async () => {
    await system.drain(2_000);
    close();
  });
  await system.start();
  await until('all threads are ready', () => ready(system), 60_000);
  const ref = (type: string, key: string) => system.ref<Job>(type, key);
  const ask = async <Reply>(type: string, key: string, job: Job, timeoutMs = 20_000) =>
    (await ref(type, key).ask(job as never, { timeoutMs })) as Reply;
  const tally = (type: string, key: string) =>
    ask<Tally & { readonly thread: number }>(type, key, { type: 'get' });
  /** Has a worker ask another. */
  const relay = (
    through: readonly [string, string],
    to: readonly [string, string],
    job: Job,
    timeoutMs?: number,
  ) =>
    ask<Ended>(through[0], through[1], {
      type: 'ask',
      to,
      job,
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
  /** Nothing is asked, owed or waiting any more, in any thread. */
  const settled = () =>
    until('nothing is pending', () => {
      const { asksPending, actors } = system.stats();
      return asksPending === 0 && actors.every((actor) => actor.asksPending === 0);
    });
  return { system, log, said, letters, events, shared, ref, ask, tally, relay, settled };
}

export function ready(system: ActorSystem): boolean {
  const { actors } = system.stats();
  return actors.length > 0 && actors.every(({ threads }) => threads.every((mode) => mode === 'ready'));
}

/** How an ask that is expected to fail does, and after how long. */
export async function failure(promise: Promise<unknown>): Promise<Ended> {
  const from = performance.now();
  try {
    return { value: await promise, ms: performance.now() - from };
  } catch (error) {
    const { code, message, reason } = error as { code: string; message: string; reason: string };
    return { code, message, reason, ms: performance.now() - from };
  }
}
