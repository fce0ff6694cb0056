/**
 * Gives a pool another number of threads while it works, and each thread its share of the partitions.
 *
 * More threads: they are started, and partitions move to them once they are ready. Fewer: partitions move away first, then the
 * thread ends; lost threads go first, then those with the highest numbers. Only what must move does (`placement.ts`).
 *
 * One resize at a time. One that is asked for meanwhile waits for its end; if yet another one is asked for, it takes the place of
 * the one that waits, and its outcome is told to both callers.
 *
 * Each step has a deadline. A thread that is not ready in time is taken away again; a thread that does not let go of a partition in
 * time stays, with that partition. So a resize that fails leaves a pool that works, and `unfinished` says that it is not what was
 * wanted.
 */
import type { Clock } from '../clock.js';
import type { Dispatcher } from '../dispatch/dispatcher.js';
import { PoolResizeError } from '../errors.js';
import { asError } from '../failure.js';
import { within } from '../within.js';
import { placement } from './placement.js';
import type { ThreadPool } from './thread-pool.js';

export interface ResizeLimits {
  /** From a thread's start to its `Ready`. */
  readonly readyMsMax: number;
  /** For a thread to finish what it has of a partition. */
  readonly moveMsMax: number;
  /** For a thread without partitions to close its actor. */
  readonly drainMsMax: number;
}

export const RESIZE_LIMITS: ResizeLimits = { readyMsMax: 30_000, moveMsMax: 30_000, drainMsMax: 10_000 };

export interface ResizerOptions {
  readonly actor: string;
  readonly dispatcher: Pick<Dispatcher, 'owners' | 'addThread' | 'removeThread' | 'retire' | 'move'>;
  readonly pool: Pick<ThreadPool, 'threads' | 'mode' | 'add' | 'remove'>;
  readonly clock: Clock;
  readonly limits: ResizeLimits;
  /** A thread is gone for good. */
  readonly onRemoved: (thread: number) => void;
}

export class Resizer {
  readonly #options: ResizerOptions;
  readonly #starting = new Map<number, () => void>();
  #wanted = 0;
  #running: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;
  #stopped = false;
  #unfinished = false;

  constructor(options: ResizerOptions) {
    this.#options = options;
  }

  /** Whether a resize is under way or waits. */
  get busy(): boolean {
    return this.#running !== undefined || this.#waiting !== undefined;
  }

  /** Whether the last resize failed. */
  get unfinished(): boolean {
    return this.#unfinished;
  }

  /** @throws PoolResizeError (rejects) saying what stands */
  resize(threads: number): Promise<void> {
    this.#wanted = threads;
    this.#waiting ??= this.#next(this.#running);
    return this.#waiting;
  }

  async #next(before: Promise<void> | undefined): Promise<void> {
    // Whether it failed is for its own callers.
    await before?.catch(() => undefined);
    this.#running = this.#waiting;
    this.#waiting = undefined;
    this.#unfinished = true;
    try {
      await this.#run(this.#wanted);
      this.#unfinished = false;
    } finally {
      this.#running = undefined;
    }
  }

  /** A thread is ready. */
  ready(thread: number): void {
    this.#starting.get(thread)?.();
  }

  /** The pool ends: nothing is waited for any more. */
  stop(): void {
    this.#stopped = true;
    for (const proceed of this.#starting.values()) proceed();
  }

  async #run(count: number): Promise<void> {
    const { pool } = this.#options;
    this.#assertNotStopped();
    const late = await this.#grow(count - pool.threads.length);
    this.#assertNotStopped();
    const leaving = this.#leaving(pool.threads.length - count);
    const staying = pool.threads.filter((thread) => !leaving.includes(thread));
    this.#options.dispatcher.retire(leaving);
    const failures = await this.#balance(staying);
    this.#assertNotStopped();
    const left = await this.#shrink(leaving);
    this.#options.dispatcher.retire([]);
    const problems = [
      ...(late.length > 0 ? [`${late.length} threads were not ready in time`] : []),
      ...(left.length > 0 ? [`threads ${left.join(', ')} still own partitions`] : []),
      ...failures.map(({ message }) => message),
    ];
    if (problems.length > 0) {
      const { actor } = this.#options;
      throw new PoolResizeError(
        `the pool of ${actor} has ${pool.threads.length} threads, ${count} were wanted: ${problems.join('; ')}`,
        { cause: failures[0] },
      );
    }
  }

  /** Starts threads. Returns those that were not ready in time and are gone again. */
  async #grow(count: number): Promise<number[]> {
    const { pool, dispatcher, clock, limits } = this.#options;
    const added: Promise<number | undefined>[] = [];
    for (let n = 0; n < count; n++) {
      const thread = pool.add();
      dispatcher.addThread(thread);
      const ready = new Promise<void>((resolve) => this.#starting.set(thread, resolve));
      const late = within(clock, limits.readyMsMax, ready).then((answer) => {
        this.#starting.delete(thread);
        return answer === 'late' ? thread : undefined;
      });
      added.push(late);
    }
    const late = (await Promise.all(added)).filter((thread) => thread !== undefined);
    if (!this.#stopped) await Promise.all(late.map((thread) => this.#remove(thread)));
    return late;
  }

  #leaving(count: number): readonly number[] {
    const { pool } = this.#options;
    if (count <= 0) return [];
    const lost = (thread: number) => Number(pool.mode(thread) === 'lost');
    return [...pool.threads].sort((a, b) => lost(b) - lost(a) || b - a).slice(0, count);
  }

  /** Returns why partitions did not move. */
  async #balance(staying: readonly number[]): Promise<Error[]> {
    const { dispatcher, limits } = this.#options;
    const owned = dispatcher.owners.flatMap((thread, partition) =>
      thread === undefined ? [] : [{ thread, partition }],
    );
    const failures: Error[] = [];
    const wanted = placement(
      owned.map(({ thread }) => thread),
      staying,
    );
    const moves = wanted.map(async (thread, at) => {
      const { thread: owner, partition } = owned[at] as (typeof owned)[number];
      if (thread === owner) return;
      try {
        await dispatcher.move(partition, thread, limits.moveMsMax);
      } catch (error) {
        failures.push(asError(error));
      }
    });
    await Promise.all(moves);
    return failures;
  }

  /** Ends threads that own nothing. Returns those that still do. */
  async #shrink(leaving: readonly number[]): Promise<number[]> {
    const owners = new Set(this.#options.dispatcher.owners);
    await Promise.all(leaving.filter((thread) => !owners.has(thread)).map((thread) => this.#remove(thread)));
    return leaving.filter((thread) => owners.has(thread));
  }

  async #remove(thread: number): Promise<void> {
    const { pool, dispatcher, limits, onRemoved } = this.#options;
    await pool.remove(thread, limits.drainMsMax);
    dispatcher.removeThread(thread);
    onRemoved(thread);
  }

  #assertNotStopped(): void {
    if (this.#stopped) throw new PoolResizeError(`the pool of ${this.#options.actor} ends`);
  }
}
