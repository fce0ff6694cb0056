/**
 * Every message that crosses between the main thread and a worker thread, in one place.
 *
 * Both ends are always of the same build, so the protocol has no version. Ranges go as flat arrays of numbers: a
 * structured clone of 500 small objects costs more than the work they stand for.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Batching } from './batching.js';
import type { Envelope } from './envelope.js';
import type { ActorEvent } from './events.js';
import type { ThreadMeasures } from './measure/thread-meter.js';
import type { MeshToMain, MeshToWorker } from './mesh/protocol.js';
import type { RetryPolicy } from './retry.js';
import type { DeadLetterCause } from './stores/dead-letter.js';
import type { StoreModule } from './stores/store-module.js';

/** The long-lived task of one thread: what Piscina hands to `worker/host.ts`. */
export interface HostTask {
  readonly port: MessagePort;
  readonly actor: string;
  /** URL of the module that default-exports the actor's definition. */
  readonly module: string;
  readonly thread: number;
  readonly settings: unknown;
  /** Of `settings`; see `Settings`. */
  readonly settingsVersion: number;
  /** At its start; `Batch` may come before it is ready. */
  readonly batching: Batching;
  /** The place in the mesh of the pool's thread 0; the others follow. */
  readonly places: number;
  /** Types that group their keys, with their modules: who sends to one must know its groups. */
  readonly grouped: readonly { readonly actor: string; readonly module: string }[];
  /** Of the type, for all its threads; undefined when it has none. See `shared-limits.ts`. */
  readonly limits: SharedArrayBuffer | undefined;
  /** Where snapshots are kept, and the identity of the log; undefined when the type has none. */
  readonly snapshots: { readonly store: StoreModule; readonly log: string } | undefined;
  readonly retry: RetryPolicy;
  /** A `receive` that takes longer is taken for hung, and its thread is replaced. */
  readonly receiveMsMax: number;
  /** `pulse.ts` */
  readonly pulse: Int32Array;
  /** `log-level.ts` */
  readonly logLevel: Int32Array;
  /** Whether it measures what its actors do: 1 or 0, looked at once a second. */
  readonly measures: Int32Array;
}

export type ToWorker = Deliver | Batch | Settings | Drain | MeshToWorker;

/** Messages for the actors of the thread. `body`'s buffer is transferred. */
export interface Deliver {
  readonly type: 'deliver';
  /** Partition, first offset, count; again and again. The frame items of `body` belong to them in this order. */
  readonly slices: readonly number[];
  /** Of each slice, that of the ownership of its partition; undefined when the log has one owner. */
  readonly epochs: readonly (number | undefined)[] | undefined;
  /** Frame items (`frame.ts`). */
  readonly body: Uint8Array;
}

/** Put batches together like this from now on. */
export interface Batch {
  readonly type: 'batch';
  readonly batching: Batching;
}

/** Other settings of the actor, from the next batch on. May come before it is open. */
export interface Settings {
  readonly type: 'settings';
  /** Rises with each change. */
  readonly version: number;
  readonly settings: unknown;
}

/** Finish what is queued (not what waits for a retry or an outage), close the actor, and end. */
export interface Drain {
  readonly type: 'drain';
  /** Then the thread is cut off. */
  readonly deadlineMs: number;
}

export type ToMain =
  | Ready
  | Done
  | Dead
  | Forgotten
  | Parked
  | Outage
  | Load
  | Happened
  | Configured
  | Log
  | MeshToMain;

/** The actor is open; deliveries may come. */
export interface Ready {
  readonly type: 'ready';
}

/** The effect of these messages is committed. */
export interface Done {
  readonly type: 'done';
  /** Partition, first offset, end (exclusive); again and again. */
  readonly ranges: readonly number[];
  readonly count: number;
  /** What they took of the credit in bytes. */
  readonly bytes: number;
  /** Activations alive in the thread. */
  readonly live: number;
}

/** A message is given up. The main thread stores it, then takes its offset as done. */
export interface Dead {
  readonly type: 'dead';
  readonly partition: number;
  readonly offset: number;
  readonly bytes: number;
  readonly envelope: Envelope;
  readonly cause: DeadLetterCause;
  readonly attempts: number;
}

/** So much of a partition that was dropped, or that cannot be read, is not in the thread any more. Its fate is no news. */
export interface Forgotten {
  readonly type: 'forgotten';
  readonly messages: number;
  readonly bytes: number;
  /** A later release wrote the message at `offset`: it and what was sent behind it go back, unread. */
  readonly unreadable?: { readonly partition: number; readonly offset: number; readonly reason: string };
}

/** What now waits in the thread for a retry, and behind keys that do. */
export interface Parked {
  readonly type: 'parked';
  readonly messages: number;
  readonly bytes: number;
}

/** A dependency of the actor went away (with the error's code), or is back (undefined). */
export interface Outage {
  readonly type: 'outage';
  readonly code: string | undefined;
  readonly message: string;
  /** Partitions that another process reads by now, when that is what it is. */
  readonly fenced?: readonly number[];
}

/** Events of the thread since the last time. */
export interface Happened {
  readonly type: 'events';
  readonly events: readonly ActorEvent[];
}

/** What a thread has; once a second. */
export interface Load {
  readonly type: 'load';
  /** How long a message lately waited in the thread before an actor began with it. */
  readonly delayMs: number;
  /** Activations alive. */
  readonly live: number;
  /** Asks without an answer: those of its actors, and those that they owe to others. */
  readonly asksPending: number;
  /** What it measured since the last time. */
  readonly measures: ThreadMeasures | undefined;
}

/** The thread has the settings of this version, or, with a cause, refused them and has those that it had. It passed over earlier ones. */
export interface Configured {
  readonly type: 'configured';
  readonly version: number;
  readonly cause: DeadLetterCause | undefined;
}

/** A log line of the thread: one process writes one log, in one format. */
export interface Log {
  readonly type: 'log';
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}
