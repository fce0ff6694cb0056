/**
 * The actor system: the log on one side, threads that run actors on the other, and a dispatcher for each actor type between.
 *
 * Modes: new -> running -> draining -> stopped. Nothing is lost by stopping at any point: what is not done stays on the log.
 */
import { ActorPool, type ActorStats, type PoolPolicy } from './actor-pool.js';
import { DEFAULT_AUTOSCALE } from './autoscale.js';
import { type Clock, systemClock } from './clock.js';
import type { DeadLetterSink } from './dead-letter.js';
import { DeadLetterWriter } from './dead-letter-writer.js';
import { ActorModuleError, PoolRequestError, UnknownActorError } from './errors.js';
import type { Release } from './handover.js';
import type { Logger } from './logger.js';
import { DEFAULT_LOSS_LIMIT } from './loss-window.js';
import type { MessageLog } from './message-log.js';
import { loadActor } from './module.js';
import type { PoolSize } from './pool-size.js';
import { RESIZE_LIMITS } from './resizer.js';
import type { RetryPolicy } from './retry.js';

export interface ActorRegistration {
  /** URL of the module that default-exports the actor. */
  readonly module: string;
  /** Worker threads of its pool, at least 1; with `{ min, max }` as many as it needs between these. */
  readonly threads: PoolSize;
  /** Handed to the actor's `open`; must survive a structured clone. */
  readonly settings: unknown;
}

export interface ActorSystemOptions {
  readonly log: MessageLog;
  readonly deadLetters: DeadLetterSink;
  readonly actors: readonly ActorRegistration[];
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  /** Level of the lines that threads send: `debug`, `info`, `warn` or `error`. */
  readonly logLevel: string;
  /** A `receive` that takes longer is taken for hung, milliseconds. Default 300,000. */
  readonly receiveMsMax?: number;
  /** Heap limit of a worker thread, MiB. Default 128. */
  readonly heapMibMax?: number;
  /** How pools look after themselves; what is left out has its default. */
  readonly pools?: Partial<PoolPolicy>;
  /** What a thread has of a partition that moves, besides messages of the log, leaves it here. */
  readonly release?: (actor: string, ...move: Parameters<Release>) => Promise<void>;
  /** A partition has another owner. */
  readonly onMoved?: (actor: string, partition: number, from: number, to: number) => void;
  readonly clock?: Clock;
}

export interface SystemStats {
  readonly mode: SystemMode;
  readonly actors: readonly ActorStats[];
  readonly deadLettersWritten: number;
  readonly deadLettersPending: number;
}

export type SystemMode = 'new' | 'running' | 'draining' | 'stopped';

/** Longer than a transaction of five statements, each at its own time limit: slowness is not a hang. */
const RECEIVE_MS_MAX = 300_000;
const HEAP_MIB_MAX = 128;

export class ActorSystem {
  readonly #options: ActorSystemOptions;
  readonly #clock: Clock;
  readonly #deadLetters: DeadLetterWriter;
  #pools: readonly ActorPool[] = [];
  #mode: SystemMode = 'new';
  #started: Promise<void> = Promise.resolve();

  constructor(options: ActorSystemOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#deadLetters = new DeadLetterWriter(options.deadLetters, this.#clock, options.logger);
  }

  get mode(): SystemMode {
    return this.#mode;
  }

  /**
   * Loads the actors and starts their threads; returns without waiting for them to open.
   * @throws ActorModuleError, UnknownActorError
   */
  start(): Promise<void> {
    this.#enter('new', 'running');
    this.#started = this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    const { actors: registrations, log } = this.#options;
    const loaded = new Map<string, ActorRegistration>();
    for (const registration of registrations) {
      const { type } = await loadActor(registration.module);
      if (loaded.has(type))
        throw new ActorModuleError(`${registration.module}: actor ${type} is registered twice`);
      loaded.set(type, registration);
    }
    for (const actor of log.actors) {
      const waiting = log.open(actor).reduce((sum, { end, committed }) => sum + end - committed, 0);
      if (waiting > 0 && !loaded.has(actor)) {
        throw new UnknownActorError(
          `the log holds ${waiting} messages for actor ${actor}, which is not registered`,
        );
      }
    }
    // A drain may have come meanwhile, and the log be closed soon.
    if (this.#mode !== 'running') return;
    this.#pools = Array.from(loaded, ([actor, registration]) => this.#build(actor, registration));
    for (const pool of this.#pools) pool.start();
  }

  stats(): SystemStats {
    return {
      mode: this.#mode,
      actors: this.#pools.map((pool) => pool.stats()),
      deadLettersWritten: this.#deadLetters.written,
      deadLettersPending: this.#deadLetters.pending,
    };
  }

  /**
   * Gives the pool of an actor another number of threads, or limits for it, while it works. Resolves when it has.
   * @throws PoolRequestError (rejects) for an actor that does not run, or a size that is none
   * @throws PoolResizeError (rejects) when threads did not start or let go in time; the pool works on, and tries again
   */
  async resizePool(actor: string, size: PoolSize): Promise<void> {
    await this.#pool(actor).resize(size);
  }

  /** Sends nothing more to the pool of an actor until `resumePool`. What is in flight finishes; the log keeps the rest. */
  pausePool(actor: string): void {
    this.#pool(actor).pause();
  }

  resumePool(actor: string): void {
    this.#pool(actor).resume();
  }

  /**
   * Pauses the pool of an actor and waits until nothing is in flight.
   * @throws PoolDrainError (rejects) after `deadlineMs`, or when the pool is resumed or stopped meanwhile
   */
  async drainPool(actor: string, deadlineMs: number): Promise<void> {
    await this.#pool(actor).drain(deadlineMs);
  }

  /** Sends nothing more to the threads, lets them finish what they have for at most `deadlineMs`, and ends them. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#mode === 'new') {
      this.#enter('new', 'stopped');
      return;
    }
    this.#enter('running', 'draining');
    // A start under way builds nothing any more; whether it failed is its caller's.
    await this.#started.catch(() => undefined);
    await Promise.all(this.#pools.map((pool) => pool.stop(deadlineMs)));
    await this.#deadLetters.close();
    this.#enter('draining', 'stopped');
  }

  #enter(from: SystemMode, to: SystemMode): void {
    if (this.#mode !== from) throw new Error(`an actor system that is ${this.#mode} cannot become ${to}`);
    this.#mode = to;
  }

  #pool(actor: string): ActorPool {
    const pool = this.#pools.find((pool) => pool.actor === actor);
    if (pool === undefined) throw new PoolRequestError(`no pool of actor ${actor} runs here`);
    return pool;
  }

  #build(actor: string, { module, threads, settings }: ActorRegistration): ActorPool {
    const { log, retry, logger, logLevel, receiveMsMax, heapMibMax, pools, release, onMoved } = this.#options;
    return new ActorPool({
      actor,
      partitions: log.open(actor),
      size: threads,
      task: {
        actor,
        module,
        settings,
        retry,
        receiveMsMax: receiveMsMax ?? RECEIVE_MS_MAX,
        logLevel,
        places: 1,
        grouped: [],
      },
      heapMibMax: heapMibMax ?? HEAP_MIB_MAX,
      policy: { autoscale: DEFAULT_AUTOSCALE, losses: DEFAULT_LOSS_LIMIT, resize: RESIZE_LIMITS, ...pools },
      deadLetters: this.#deadLetters,
      ...(release && { release: (...move: Parameters<Release>) => release(actor, ...move) }),
      ...(onMoved && { onMoved: (...move: [number, number, number]) => onMoved(actor, ...move) }),
      clock: this.#clock,
      random: Math.random,
      logger,
    });
  }
}
