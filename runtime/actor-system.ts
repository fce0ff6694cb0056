/**
 * The actor system: the log on one side, threads that run actors on the other, and a dispatcher for each actor type between.
 *
 * Modes: new -> running -> draining -> stopped. Nothing is lost by stopping at any point: what is not done stays on the log.
 */
import type { ActorDefinition, ActorType } from './actor.js';
import type { ActorRef } from './actor-ref.js';
import { batchingOf } from './batching.js';
import { DeliveryGate } from './dispatch/delivery-gate.js';
import { PoolRequestError } from './errors.js';
import { EventStream } from './event-stream.js';
import type { ActorEvent } from './events.js';
import { fillLimits } from './limits.js';
import { MainSide } from './main-side.js';
import { type SystemMeasures, SystemMeter } from './measure/system-meter.js';
import { ActorPool } from './pool/actor-pool.js';
import { type PartitionStats, partitionStats } from './pool/actor-stats.js';
import { DEFAULT_AUTOSCALE } from './pool/autoscale.js';
import { DEFAULT_LOSS_LIMIT } from './pool/loss-window.js';
import type { PoolChange, PoolSettings } from './pool/pool-settings.js';
import type { PoolSize } from './pool/pool-size.js';
import { RESIZE_LIMITS } from './pool/resizer.js';
import { SharedLimits, TAKERS_MAX } from './pool/shared-limits.js';
import { loadRegistered, type Registered, refuseForeign } from './registered.js';
import { Replays } from './replay-many.js';
import { keepShare, type ShareKeeper } from './shares/share-keeper.js';
import type { DeadLetterStore } from './stores/dead-letter.js';
import { DeadLetterWriter } from './stores/dead-letter-writer.js';
import { type ActorSystemOptions, type FilledSystemOptions, fillSystemOptions } from './system-options.js';
import type { SystemMode, SystemStats } from './system-stats.js';
import type { HostTask } from './worker-protocol.js';

/** As `TETHER_DRAIN_MS_MAX`. */
const DRAIN_MS = 30_000;
/** Of processes that share a log, the one that has this partition sends the reminders of all. */
const REMINDING_PARTITION = 0;
/** Between two looks at the log. */
const LOOK_MS = 5;

export class ActorSystem {
  readonly #options: FilledSystemOptions;
  readonly #deadLetters: DeadLetterWriter;
  readonly events: EventStream;
  /** What is sent to actors from the log passes here; what actors say to one another does not. */
  readonly gate = new DeliveryGate();
  readonly #main: MainSide;
  readonly #meter: SystemMeter;
  /** Of dead letters; `replay` is that of one. */
  readonly replays: Replays;
  #pools: readonly ActorPool[] = [];
  /** Of types with limits, where they are shared with other processes. */
  readonly #shares: ShareKeeper[] = [];
  /** Of each type, until when one of its activations rests after it was restarted too often; milliseconds. */
  readonly #restsUntil = new Map<string, number>();
  #mode: SystemMode = 'new';
  #started: Promise<void> = Promise.resolve();
  #drained: Promise<void> | undefined;

  /** A system that runs. @throws what the constructor and `start` throw */
  static async start(options: ActorSystemOptions): Promise<ActorSystem> {
    const system = new ActorSystem(options);
    try {
      await system.start();
    } catch (error) {
      await system.drain(0);
      throw error;
    }
    return system;
  }

  /** @throws TypeError, ActorModuleError when options are missing or wrong */
  constructor(options: ActorSystemOptions) {
    this.#options = fillSystemOptions(options);
    const { deadLetters, log, logger, retry, reminders, ownership, receiveMsMax, clock } = this.#options;
    this.#deadLetters = new DeadLetterWriter(deadLetters, clock, logger);
    this.events = new EventStream(logger);
    this.#meter = new SystemMeter(this.#options.measures);
    this.#main = new MainSide({
      log,
      reminders,
      remindersShared: ownership === 'none',
      retry,
      receiveMsMax,
      clock,
      random: Math.random,
      logger,
      onEvent: (event) => this.#happened(event),
      onWanted: (actor) => this.#pools.find((pool) => pool.actor === actor)?.wake(),
    });
    const group = this.#main.kernel.groupOf.bind(this.#main.kernel);
    this.replays = new Replays({ store: deadLetters as DeadLetterStore, log, group, clock });
  }

  get mode(): SystemMode {
    return this.#mode;
  }

  /** Loads the actors, so that `start` has less to do. What is wrong with them it says. */
  async load(): Promise<void> {
    await loadRegistered(this.#options).catch(() => undefined);
  }

  /**
   * Loads the actors and starts their threads; returns without waiting for them to open.
   * @throws ActorModuleError, UnknownActorError: nobody would read what is on the log of an actor that is not registered
   */
  start(): Promise<void> {
    this.#enter('new', 'running');
    this.#started = this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    const { log, ownership } = this.#options;
    const loaded = await loadRegistered(this.#options);
    refuseForeign(this.#options, loaded);
    // A drain may have come meanwhile, and the log be closed soon.
    if (this.#mode !== 'running') return;
    const actors = [...loaded.values()];
    const grouped = actors
      .filter(({ definition }) => definition.group !== undefined)
      .map(({ definition, registration }) => ({ actor: definition.type, module: registration.module }));
    const { hosts } = this.#options;
    this.#pools = hosts ? actors.map((actor) => this.#build(actor, grouped)) : [];
    const nobody = Array.from({ length: log.partitions }, () => undefined);
    for (const [at, { definition }] of actors.entries()) {
      this.#main.add(definition, this.#pools[at]?.owners ?? nobody);
      this.#pools[at]?.start();
    }
    for (const share of this.#shares) share.start();
    this.#main.start();
    if (hosts && ownership === 'all') this.#main.remind();
  }

  /**
   * The actor of that type and key. What is sent to it before its threads have started waits for them.
   * @throws UnknownActorError (`tell`), or rejects with it, when no actor of that type is registered
   */
  ref<Body = unknown>(actor: ActorType<Body>, key: string): ActorRef<Body> {
    return this.#main.kernel.ref(typeof actor === 'string' ? actor : actor?.type, key) as ActorRef<Body>;
  }

  stats(): SystemStats {
    return {
      mode: this.#mode,
      actors: this.#pools.map((pool) => pool.stats()),
      resting: [...this.#restsUntil]
        .filter(([, until]) => until > this.#options.clock.now())
        .map(([actor]) => actor),
      asksPending: this.#main.asksPending,
      deadLettersWritten: this.#deadLetters.written,
      deadLettersPending: this.#deadLetters.pending,
    };
  }

  measures(): SystemMeasures {
    return this.#meter.measures();
  }

  /** Whether threads measure what their actors do; they follow within a second. `npm run bench -- observability` says what it costs. */
  measure(on: boolean): void {
    this.#meter.measure(on);
  }

  /** Every partition of every actor type that runs here. */
  partitions(): readonly PartitionStats[] {
    const { log } = this.#options;
    return this.#pools.flatMap((pool) => partitionStats(pool.stats(), log.open(pool.actor), pool.owners));
  }

  /**
   * Gives the pool of an actor another number of threads, or limits for it, while it works. Resolves when it has.
   * @throws PoolRequestError (rejects) for an actor that does not run, or a size that is none
   * @throws PoolResizeError (rejects) when threads did not start or let go in time; the pool works on, and tries again
   */
  async resizePool(actor: string, size: PoolSize): Promise<void> {
    await this.#pool(actor).resize(size);
  }

  /** Changes settings of a pool while it works: all that are given, or none. Resolves, and rejects, as `resizePool` does. */
  async changePool(actor: string, change: PoolChange): Promise<void> {
    await this.#pool(actor).change(change);
  }

  /**
   * Gives an actor that runs other settings than it was registered with. Its threads get them between two batches, in the order of the
   * changes (`configure` of the definition); of changes that come faster than a thread takes them, it may pass over all but the last. Threads
   * that start later open with the latest. Resolves when every thread that was ready has them, or later ones.
   * @throws PoolRequestError (rejects) when the actor does not run here, has no `configure`, or the settings cannot be sent to a thread
   * @throws ActorSettingsError (rejects) when `configure` threw in a thread: it goes on with those that it had, the others have the new ones
   */
  async changeSettings(actor: string, settings: unknown): Promise<void> {
    await this.#pool(actor).configure(settings);
  }

  /** The settings that hold; with `change`, those that would. @throws PoolRequestError */
  poolSettings(actor: string, change: PoolChange = {}): PoolSettings {
    return this.#pool(actor).check(change);
  }

  /** Sends nothing more to a pool until `resumePool`. What is in flight finishes; the log keeps the rest. */
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

  /**
   * From now on this system reads partition `index` of every actor type, from what is committed; its partition objects stand there
   * already.
   * @param epochOf of this ownership, by actor type; it goes along with each message (`context.epochs`)
   * @throws PoolRequestError when the system does not run
   */
  adopt(index: number, epochOf: (actor: string) => number | undefined): void {
    if (this.#mode !== 'running')
      throw new PoolRequestError(`an actor system that is ${this.#mode} adopts nothing`);
    for (const pool of this.#pools) pool.adopt(index, epochOf(pool.actor));
    if (index === REMINDING_PARTITION) this.#main.remind();
  }

  /**
   * Sends nothing more of partition `index`. Resolves when what is in flight is done and committed, and activations of its keys have
   * ended, their states stored: it is the next owner's then.
   * @throws MoveTimeoutError, MoveCancelledError (rejects) when `deadlineMs` are not enough for one of the types; nothing is sent
   * until `drop`, or another `giveUp`
   */
  async giveUp(index: number, deadlineMs: number): Promise<void> {
    const outcomes = await Promise.allSettled([
      ...this.#pools.map((pool) => pool.giveUp(index, deadlineMs)),
      ...(index === REMINDING_PARTITION ? [this.#main.remindNoMore()] : []),
    ]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /**
   * Partition `index` is another process's, at once: nothing more is sent, what comes of what is in flight is neither committed nor a
   * dead letter, and activations of its keys end without being stored, as soon as their threads are at it.
   */
  drop(index: number): void {
    for (const pool of this.#pools) pool.drop(index);
    if (index === REMINDING_PARTITION) void this.#main.remindNoMore();
  }

  /**
   * Puts a dead letter on the log again, as the message that it was. A crash in the middle may replay it twice, under the same
   * idempotency key.
   * @returns whether it is on the log again: false when there is no such letter, or it does not wait
   * @throws LogFullError, LogClosedError, OutageError
   */
  replay(id: string): Promise<boolean> {
    return this.replays.one(id);
  }

  /**
   * Waits until every message that is on the log for an actor by now is handled or a dead letter, for at most `deadlineMs`.
   * @returns whether it is so; false also when the system drains
   */
  async caughtUp(actor: string, deadlineMs: number): Promise<boolean> {
    const { log, clock } = this.#options;
    this.#pool(actor);
    const behind = log.open(actor).map((partition) => ({ partition, end: partition.end }));
    const until = clock.now() + deadlineMs;
    while (behind.some(({ partition, end }) => partition.committed < end)) {
      if (this.#mode !== 'running' || clock.now() >= until) return false;
      await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
    }
    return true;
  }

  /**
   * Sends nothing more to the threads, lets them finish what they have for at most `deadlineMs`, and ends them. Asks under way are
   * answered or rejected. Called again, it is the same drain.
   */
  drain(deadlineMs: number = DRAIN_MS): Promise<void> {
    this.#drained ??= this.#drain(deadlineMs);
    return this.#drained;
  }

  async #drain(deadlineMs: number): Promise<void> {
    if (this.#mode === 'new') {
      this.#enter('new', 'stopped');
      this.#meter.close();
      this.#main.stop();
      return;
    }
    this.#enter('running', 'draining');
    // A start under way builds nothing any more; whether it failed is its caller's.
    await this.#started.catch(() => undefined);
    await this.#main.stopping();
    await Promise.all(this.#pools.map((pool) => pool.stop(deadlineMs)));
    await Promise.all(this.#shares.map((share) => share.leave()));
    this.#main.stop();
    await this.#deadLetters.close();
    this.#meter.close();
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

  #happened(event: ActorEvent): void {
    if (event.kind === 'failed') {
      const { actor, key, cause } = event;
      this.#options.logger.warn({ actor, key, code: cause.code, reason: cause.message }, 'a message failed');
    }
    if (event.kind === 'escalated') {
      const until = this.#options.clock.now() + event.restMs;
      this.#restsUntil.set(event.actor, Math.max(until, this.#restsUntil.get(event.actor) ?? 0));
    }
    this.events.emit(event);
  }

  #snapshotsOf({ snapshot }: ActorDefinition): HostTask['snapshots'] {
    const { snapshots, log } = this.#options;
    return snapshot === undefined || snapshots === undefined ? undefined : { store: snapshots, log: log.id };
  }

  #limitsOf({ type, limits }: ActorDefinition): SharedLimits | undefined {
    const filled = fillLimits(limits);
    const shared = filled && new SharedLimits(filled, TAKERS_MAX);
    const { limitShares: store, logger } = this.#options;
    if (shared !== undefined && store !== undefined && limits?.within !== 'node')
      this.#shares.push(keepShare(type, shared, store, logger));
    return shared;
  }

  #build({ definition, registration }: Registered, grouped: HostTask['grouped']): ActorPool {
    const { log, retry, logger, logLevel, receiveMsMax, heapMibMax, pools, ownership, clock } = this.#options;
    const { module, threads, lazy, youngHeapMib, settings } = registration;
    const actor = definition.type;
    const main = this.#main;
    const limits = this.#limitsOf(definition);
    return new ActorPool({
      actor,
      partitions: log.open(actor),
      size: threads,
      lazy,
      task: {
        actor,
        module,
        settings,
        retry,
        receiveMsMax,
        logLevel: logLevel.cell,
        batching: batchingOf(definition),
        places: main.placesOf(actor),
        grouped,
        snapshots: this.#snapshotsOf(definition),
        limits: limits?.buffer,
        measures: this.#meter.isOn,
      },
      heapMibMax,
      youngHeapMib,
      configures: definition.configure !== undefined,
      policy: { autoscale: DEFAULT_AUTOSCALE, losses: DEFAULT_LOSS_LIMIT, resize: RESIZE_LIMITS, ...pools },
      deadLetters: this.#deadLetters,
      release: (partition, from, _to, signal) => main.release(actor, partition, from, signal),
      onMoved: (partition, from, to) => {
        main.moved(actor, partition, to);
        this.events.emit({ kind: 'rebalanced', actor, partition, from, to });
      },
      ownership,
      discard: (partition, thread) => main.discard(actor, partition, thread),
      onOwned: (partition, thread, epoch) => main.owned(actor, partition, thread, epoch),
      mesh: {
        joined: (thread, post) => main.joined(actor, thread, post),
        left: (thread) => {
          main.left(actor, thread);
          limits?.giveBack(thread);
        },
        received: (thread, message) => main.received(actor, thread, message),
      },
      onEvent: (event) => this.#happened(event),
      gate: this.gate,
      meter: this.#meter.pool(actor),
      clock,
      random: Math.random,
      logger,
    });
  }
}
