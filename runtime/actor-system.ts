/**
 * The actor system: the log on one side, threads that run actors on the other, and a dispatcher for each actor type between.
 *
 * Modes: new -> running -> draining -> stopped. Nothing is lost by stopping at any point: what is not done stays on the log.
 */
import { type Clock, systemClock } from './clock.js';
import type { DeadLetterSink } from './dead-letter.js';
import { DeadLetterWriter } from './dead-letter-writer.js';
import { Dispatcher } from './dispatcher.js';
import { ActorModuleError, UnknownActorError } from './errors.js';
import type { Logger } from './logger.js';
import type { MessageLog } from './message-log.js';
import { loadActor } from './module.js';
import type { RetryPolicy } from './retry.js';
import { type SlotMode, ThreadPool } from './thread-pool.js';
import type { Deliver, Outage, ToMain } from './worker-protocol.js';

export interface ActorRegistration {
  /** URL of the module that default-exports the actor. */
  readonly module: string;
  /** Worker threads of its pool, at least 1. */
  readonly threads: number;
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
  readonly clock?: Clock;
}

export interface ActorStats {
  readonly actor: string;
  readonly threads: readonly SlotMode[];
  /** Messages handled by this process, dead letters among them. */
  readonly done: number;
  readonly inFlight: number;
  /** Activations alive. */
  readonly live: number;
  /** Threads that ended unasked. */
  readonly threadsLost: number;
  /** Code of an outage that a thread waits for. */
  readonly outage: string | undefined;
  /** Partitions that cannot be read. */
  readonly broken: readonly number[];
}

export interface SystemStats {
  readonly mode: SystemMode;
  readonly actors: readonly ActorStats[];
  readonly deadLettersWritten: number;
  readonly deadLettersPending: number;
}

export type SystemMode = 'new' | 'running' | 'draining' | 'stopped';

interface RunningActor {
  readonly actor: string;
  readonly dispatcher: Dispatcher;
  readonly pool: ThreadPool;
  readonly live: number[];
  readonly outages: (string | undefined)[];
  threadsLost: number;
}

/** Longer than a transaction of five statements, each at its own time limit: slowness is not a hang. */
const RECEIVE_MS_MAX = 300_000;
const HEAP_MIB_MAX = 128;

export class ActorSystem {
  readonly #options: ActorSystemOptions;
  readonly #clock: Clock;
  readonly #deadLetters: DeadLetterWriter;
  #actors: readonly RunningActor[] = [];
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
    this.#actors = Array.from(loaded, ([actor, registration]) => this.#build(actor, registration));
    for (const { pool } of this.#actors) pool.start();
  }

  stats(): SystemStats {
    return {
      mode: this.#mode,
      actors: this.#actors.map(({ actor, dispatcher, pool, live, outages, threadsLost }) => ({
        actor,
        threads: pool.modes,
        done: dispatcher.done,
        inFlight: dispatcher.inFlight,
        live: live.reduce((sum, count) => sum + count, 0),
        threadsLost,
        outage: outages.find((code) => code !== undefined),
        broken: dispatcher.broken,
      })),
      deadLettersWritten: this.#deadLetters.written,
      deadLettersPending: this.#deadLetters.pending,
    };
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
    for (const { dispatcher } of this.#actors) dispatcher.stop();
    await Promise.all(this.#actors.map(({ pool }) => pool.drain(deadlineMs)));
    await this.#deadLetters.close();
    this.#enter('draining', 'stopped');
  }

  #enter(from: SystemMode, to: SystemMode): void {
    if (this.#mode !== from) throw new Error(`an actor system that is ${this.#mode} cannot become ${to}`);
    this.#mode = to;
  }

  #build(actor: string, { module, threads, settings }: ActorRegistration): RunningActor {
    const { log, retry, logger, logLevel, receiveMsMax, heapMibMax } = this.#options;
    const dispatcher = new Dispatcher({
      actor,
      partitions: log.open(actor),
      threads,
      post: (thread: number, delivery: Deliver, buffer: ArrayBuffer) => pool.post(thread, delivery, buffer),
      deadLetters: this.#deadLetters,
      clock: this.#clock,
      logger,
    });
    const pool = new ThreadPool({
      threads,
      task: { actor, module, settings, retry, receiveMsMax: receiveMsMax ?? RECEIVE_MS_MAX, logLevel },
      heapMibMax: heapMibMax ?? HEAP_MIB_MAX,
      clock: this.#clock,
      random: Math.random,
      logger,
      onMessage: (thread, message) => this.#message(running, thread, message),
      onEnding: (thread) => dispatcher.suspend(thread),
      onLost: (thread) => {
        running.threadsLost++;
        running.live[thread] = 0;
        running.outages[thread] = undefined;
        dispatcher.detach(thread);
      },
    });
    const running: RunningActor = { actor, dispatcher, pool, live: [], outages: [], threadsLost: 0 };
    return running;
  }

  #message(running: RunningActor, thread: number, message: ToMain): void {
    switch (message.type) {
      case 'ready':
        running.dispatcher.attach(thread);
        break;
      case 'done':
        running.live[thread] = message.live;
        running.dispatcher.finished(thread, message);
        break;
      case 'dead': {
        const { envelope, cause, attempts } = message;
        this.#options.logger.error(
          { actor: running.actor, id: envelope.id, code: cause.code, reason: cause.message, attempts },
          'a message is given up and becomes a dead letter',
        );
        running.dispatcher.gaveUp(thread, message);
        break;
      }
      case 'parked':
        running.dispatcher.parked(thread, message);
        break;
      case 'outage':
        this.#outage(running, thread, message);
        break;
      case 'log':
        break;
    }
  }

  #outage(running: RunningActor, thread: number, { code, message }: Outage): void {
    const before = running.outages[thread];
    running.outages[thread] = code;
    const fields = { actor: running.actor, thread, code: code ?? before };
    if (code !== undefined && before === undefined) {
      this.#options.logger.warn({ ...fields, reason: message }, 'an actor waits for what it depends on');
    } else if (code === undefined && before !== undefined) {
      this.#options.logger.info(fields, 'what an actor depends on is back');
    }
  }
}
