/** What a pool says of itself. */
import type { PoolSettings } from './pool-settings.js';
import type { SlotMode } from './thread-pool.js';

export type PoolMode = 'running' | 'paused' | 'draining' | 'drained' | 'stopped';

export interface ActorStats {
  readonly actor: string;
  readonly mode: PoolMode;
  /** Modes of the threads, in the order of their numbers. */
  readonly threads: readonly SlotMode[];
  readonly min: number;
  readonly max: number;
  readonly resizing: boolean;
  /** How many partitions each thread owns, in the order of `threads`. */
  readonly partitions: readonly number[];
  /** Of each partition, the thread that has it; undefined when none of this process has. */
  readonly owners: readonly (number | undefined)[];
  /** How long a message waited lately before an actor began with it, milliseconds. */
  readonly delayMs: number;
  /** Messages handled by this process, dead letters among them. */
  readonly done: number;
  readonly inFlight: number;
  /** Activations alive. */
  readonly live: number;
  /** Asks without an answer: those of its actors, and those that they owe to others. As of the last second. */
  readonly asksPending: number;
  /** Threads that ended unasked. */
  readonly threadsLost: number;
  /** Threads end so often that somebody should look. */
  readonly unstable: boolean;
  /** Code of an outage that a thread waits for; `TETHER_ENVELOPE_VERSION`: that a partition waits for a later release. */
  readonly outage: string | undefined;
  /** Partitions that cannot be read. */
  readonly broken: readonly number[];
  /** Partitions that wait for a later release: this one cannot read what that wrote. */
  readonly unreadable: readonly number[];
  readonly settings: {
    readonly current: PoolSettings;
    /** What the actor's definition and its registration say. */
    readonly file: PoolSettings;
    readonly differs: boolean;
  };
}
