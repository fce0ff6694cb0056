/** What a pool says of itself. */

import type { LoopSample } from '../measure/loop-meter.js';
import type { LogPartition } from '../message-log.js';
import type { PoolSettings } from './pool-settings.js';
import type { SlotMode } from './thread-pool.js';

export type PoolMode = 'running' | 'paused' | 'draining' | 'drained' | 'stopped';

export interface ThreadStats {
  /** Its number; one that has ended leaves it to another. */
  readonly thread: number;
  readonly mode: SlotMode;
  /** How many partitions it owns. */
  readonly partitions: number;
  /** Of the last second; undefined before it is over, and when nothing is measured. */
  readonly loop: LoopSample | undefined;
}

/** Of one partition of a type. */
export interface PartitionStats {
  readonly actor: string;
  readonly partition: number;
  /** The thread that owns it; undefined when it is not this process's. */
  readonly thread: number | undefined;
  /** Messages appended and not committed, as this process knows it. */
  readonly lag: number;
  /** `broken` and `unreadable` as in `ActorStats`; `elsewhere` when another process has it, or nobody. */
  readonly mode: 'owned' | 'elsewhere' | 'broken' | 'unreadable';
}

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
  /** How long a message waited lately before an actor began with it, milliseconds. */
  readonly delayMs: number;
  /** As `threads` and `partitions`, with how each of them does. */
  readonly threadStats: readonly ThreadStats[];
  /** Messages on the log for it that are not done, in the partitions of this process, and in the one of them that has most. */
  readonly lag: number;
  readonly lagMax: number;
  /** Messages in its deepest mailbox, as of the last second. */
  readonly mailboxMax: number;
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

type Owners = readonly (number | undefined)[];

/** Of the threads in the order of their numbers. */
export function threadStats(
  threads: readonly number[],
  modes: readonly SlotMode[],
  owners: Owners,
  meter: { thread(thread: number): LoopSample | undefined },
): ThreadStats[] {
  return threads.map((thread, at) => ({
    thread,
    mode: modes[at] ?? 'ended',
    partitions: owners.filter((owner) => owner === thread).length,
    loop: meter.thread(thread),
  }));
}

/** Of the partitions that have an owner here. */
export function lagOf(
  partitions: readonly Pick<LogPartition, 'end' | 'committed'>[],
  owners: Owners,
): Pick<ActorStats, 'lag' | 'lagMax'> {
  let lag = 0;
  let lagMax = 0;
  for (const [index, { end, committed }] of partitions.entries()) {
    if (owners[index] === undefined) continue;
    lag += end - committed;
    lagMax = Math.max(lagMax, end - committed);
  }
  return { lag, lagMax };
}

export function partitionStats(
  { actor, broken, unreadable }: Pick<ActorStats, 'actor' | 'broken' | 'unreadable'>,
  partitions: readonly Pick<LogPartition, 'index' | 'end' | 'committed'>[],
  owners: Owners,
): PartitionStats[] {
  return partitions.map(({ index, end, committed }) => {
    const thread = owners[index];
    let mode: PartitionStats['mode'] = thread === undefined ? 'elsewhere' : 'owned';
    if (broken.includes(index)) mode = 'broken';
    else if (unreadable.includes(index)) mode = 'unreadable';
    return { actor, partition: index, thread, lag: end - committed, mode };
  });
}
