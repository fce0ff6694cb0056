/** What an actor system is told when it is made, and the defaults. */

import { type Clock, systemClock } from './clock.js';
import type { OwnershipAtStart } from './dispatch/ownership.js';
import { ActorModuleError } from './errors.js';
import { SharedLogLevel } from './log-level.js';
import { type Logger, type LogLevel, stderrLogger } from './logger.js';
import type { MessageLog } from './message-log.js';
import type { PoolPolicy } from './pool/options.js';
import type { PoolSize } from './pool/pool-size.js';
import { DEFAULT_RETRY, type RetryPolicy } from './retry.js';
import type { ShareStore } from './shares/share-store.js';
import type { DeadLetterSink } from './stores/dead-letter.js';
import type { ReminderStore } from './stores/reminder.js';
import type { StoreModule } from './stores/store-module.js';

export interface ActorRegistration {
  /** URL of the module that default-exports the actor: `new URL('./account.js', import.meta.url)`. */
  readonly module: string | URL;
  /** Worker threads of its pool, at least 1; with `{ min, max }` as many as it needs between these. Default 1. */
  readonly threads?: PoolSize;
  /** Its threads start with the first message for it, and stay: for an actor that many systems never need. Default false. */
  readonly lazy?: boolean;
  /**
   * Of a thread's heap, for what has just been made, MiB. Default 16. An actor that makes much for a short time (rows of a file) does with
   * 48 what else is copied, and a tenth faster.
   */
  readonly youngHeapMib?: number;
  /** Handed to the actor's `open`; must survive a structured clone. */
  readonly settings?: unknown;
}

export interface ActorSystemOptions {
  readonly log: MessageLog;
  readonly deadLetters: DeadLetterSink;
  /** Each a registration, or the module's URL alone. */
  readonly actors: readonly (ActorRegistration | URL | string)[];
  /** Default `DEFAULT_RETRY`: five times, after 200 ms at first. */
  readonly retry?: RetryPolicy;
  /** Default: lines of `logLevel` and above go to stderr. */
  readonly logger?: Logger;
  /** Of the lines that threads send; a shared one may change later. Default `info` with a logger, `warn` without one. */
  readonly logLevel?: LogLevel | SharedLogLevel;
  /** A `receive` that takes longer is taken for hung, milliseconds. Default 300,000. */
  readonly receiveMsMax?: number;
  /** Heap limit of a worker thread, MiB. Default 128. */
  readonly heapMibMax?: number;
  /** How pools look after themselves; what is left out has its default. */
  readonly pools?: Partial<PoolPolicy>;
  /** Where reminders are kept. Without it there are none. */
  readonly reminders?: ReminderStore;
  /** The store that each thread opens for the snapshots of its actors. Without it actors that keep snapshots are refused. */
  readonly snapshots?: StoreModule;
  /**
   * Which partitions of the log this system reads from its start: `all` (default), or `none`, of a log that is shared with other
   * processes: then it reads what it is told to (`adopt`).
   */
  readonly ownership?: OwnershipAtStart;
  /** Where this system shares the limits of its actor types with other processes. Without it they are all its own. */
  readonly limitShares?: ShareStore;
  /** False: no actor runs here, and no thread. Messages go to the log (`tellDurably`), for other processes. Default true. */
  readonly hosts?: boolean;
  readonly clock?: Clock;
  /** Whether times, event loops and hot keys are measured (`measures()`) from the start on; see `measure`. Default true. */
  readonly measures?: boolean;
}

/** Registrations in one form. */
export interface FilledRegistration {
  readonly module: string;
  readonly threads: PoolSize;
  readonly lazy: boolean;
  readonly youngHeapMib: number;
  readonly settings: unknown;
}

type WithDefault =
  | 'retry'
  | 'logger'
  | 'receiveMsMax'
  | 'heapMibMax'
  | 'pools'
  | 'ownership'
  | 'hosts'
  | 'clock'
  | 'measures';

export type FilledSystemOptions = Omit<ActorSystemOptions, WithDefault | 'logLevel' | 'actors'> &
  Required<Pick<ActorSystemOptions, WithDefault>> & {
    readonly logLevel: SharedLogLevel;
    readonly actors: readonly FilledRegistration[];
  };

/** Longer than a transaction of five statements, each at its own time limit: slowness is not a hang. */
const RECEIVE_MS_MAX = 300_000;
/** Of a thread's old generation. */
export const HEAP_MIB_MAX = 128;
const YOUNG_HEAP_MIB = 16;
const URL_SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/** @throws TypeError, ActorModuleError that name what is missing or wrong, and what is right */
export function fillSystemOptions(options: ActorSystemOptions): FilledSystemOptions {
  const { log, deadLetters, actors, snapshots } = options;
  if (typeof log?.open !== 'function')
    throw new TypeError('log is no message log: openJournal of tether/journal opens one');
  if (typeof deadLetters?.put !== 'function')
    throw new TypeError('deadLetters is no store of dead letters: openFolder of tether/folder has one');
  if (!Array.isArray(actors)) throw new TypeError('actors is no list of modules');
  if (snapshots !== undefined && typeof snapshots.module !== 'string') {
    throw new TypeError(
      'snapshots is what threads open for themselves: `stores.snapshots` of a folder, or postgresSnapshots',
    );
  }
  const given = options.logLevel ?? (options.logger === undefined ? 'warn' : 'info');
  const logLevel = typeof given === 'string' ? new SharedLogLevel(given) : given;
  return Object.freeze({
    ...options,
    actors: actors.map(fillRegistration),
    retry: options.retry ?? DEFAULT_RETRY,
    logger: options.logger ?? stderrLogger(logLevel.get()),
    logLevel,
    receiveMsMax: options.receiveMsMax ?? RECEIVE_MS_MAX,
    heapMibMax: options.heapMibMax ?? HEAP_MIB_MAX,
    pools: options.pools ?? {},
    ownership: options.ownership ?? 'all',
    hosts: options.hosts ?? true,
    clock: options.clock ?? systemClock,
    measures: options.measures ?? true,
  });
}

function fillRegistration(actor: ActorRegistration | URL | string): FilledRegistration {
  const given: Partial<ActorRegistration> =
    typeof actor === 'string' || actor instanceof URL ? { module: actor } : Object(actor);
  const module = String(given.module);
  if (given.module === undefined || !URL_SCHEME.test(module)) {
    const name = given.module === undefined && 'type' in given ? `of actor ${given.type}` : module;
    throw new ActorModuleError(
      `an actor is registered by the URL of its module, new URL('./actor.js', import.meta.url): ` +
        `the module ${name} is no URL`,
    );
  }
  return {
    module,
    threads: given.threads ?? 1,
    lazy: given.lazy ?? false,
    youngHeapMib: given.youngHeapMib ?? YOUNG_HEAP_MIB,
    settings: given.settings,
  };
}
