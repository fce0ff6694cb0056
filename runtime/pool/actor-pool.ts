/**
 * The pool of one actor type: its dispatcher, its threads, and how many of them there are.
 *
 * Modes:
 *   running <--pause, resume--> paused             nothing is sent; what is in flight finishes; the log keeps the rest
 *   running, paused --drain--> draining            as paused, and somebody waits until nothing is in flight
 *   draining ---nothing in flight---> drained
 *   draining ---deadline---> paused
 *   draining, drained --resume--> running
 *   any --stop--> stopped
 * A resize is no mode: it goes on in each of them (`resizer.ts`).
 *
 * Once a second the pool looks how long messages waited, and asks `autoscale.ts` how many threads it should have. It does not ask
 * while more threads would not help: when it stands still, while a dependency is away, or when its threads keep being lost.
 */
import { Dispatcher } from '../dispatch/dispatcher.js';
import { WINDOW_MESSAGES } from '../dispatch/route.js';
import { PoolDrainError, PoolRequestError } from '../errors.js';
import { causeOf } from '../failure.js';
import type { Deliver, Outage, ToMain } from '../worker-protocol.js';
import { type ActorStats, lagOf, type PoolMode, threadStats } from './actor-stats.js';
import { type AutoscaleState, autoscale, undecided } from './autoscale.js';
import { tellDead } from './dead-letter-news.js';
import { LossWindow } from './loss-window.js';
import type { ActorPoolOptions } from './options.js';
import { changed, type PoolChange, type PoolSettings, sameSettings } from './pool-settings.js';
import { limitsOf, type PoolSize } from './pool-size.js';
import { Resizer } from './resizer.js';
import { ThreadNews } from './thread-news.js';
import { ThreadPool } from './thread-pool.js';

type DrainOutcome = 'drained' | 'late' | 'resumed' | 'stopped';

const LOOK_MS = 1_000;
/** Before a resize that failed is tried again. */
const RETRY_MS = 30_000;

export class ActorPool {
  readonly actor: string;
  readonly #options: ActorPoolOptions;
  readonly #dispatcher: Dispatcher;
  readonly #pool: ThreadPool;
  readonly #resizer: Resizer;
  readonly #losses: LossWindow;
  readonly #news: ThreadNews;
  #mode: PoolMode = 'running';
  /** What definition and registration say, and what holds. */
  readonly #defined: PoolSettings;
  #settings: PoolSettings;
  #threadsLost = 0;
  #delayMs = 0;
  #scale: AutoscaleState | undefined;
  #resizedAt = 0;
  #endDrain: ((outcome: DrainOutcome) => void) | undefined;
  #cancelLook = () => {};

  /** @throws PoolRequestError when its size is none */
  constructor(options: ActorPoolOptions) {
    const { actor, policy, clock, logger } = options;
    this.actor = actor;
    this.#options = options;
    this.#defined = Object.freeze({
      ...limitsOf(options.size),
      ...options.task.batching,
      inFlightMax: WINDOW_MESSAGES,
    });
    this.#settings = this.#defined;
    this.#news = new ThreadNews(options.meter);
    this.#losses = new LossWindow(policy.losses);
    const threads = this.#settings.min;
    this.#dispatcher = new Dispatcher({
      ...options,
      threads,
      post: (thread: number, delivery: Deliver, buffer: ArrayBuffer) =>
        this.#pool.post(thread, delivery, buffer),
      onAbsent: () => this.#wakeForWork(),
      onSettled: () => this.#settled(),
    });
    this.#pool = new ThreadPool({
      ...options,
      threads,
      onMessage: (thread, message) => this.#message(thread, message),
      onEnding: (thread) => this.#dispatcher.suspend(thread),
      onEnded: (thread) => this.#options.mesh.left(thread),
      onLost: (thread, error) => this.#lost(thread, error),
    });
    this.#resizer = new Resizer({
      actor,
      dispatcher: this.#dispatcher,
      pool: this.#pool,
      clock,
      limits: policy.resize,
      onRemoved: (thread) => {
        this.#news.forget(thread);
        logger.info({ actor, thread, threads: this.#pool.threads.length }, 'a worker thread is taken away');
      },
    });
  }

  get mode(): PoolMode {
    return this.#mode;
  }

  start(): void {
    this.#pool.start();
    this.#wakeForWork();
    this.#cancelLook = this.#options.clock.after(LOOK_MS, this.#look);
  }

  /** Somebody has something for the threads of a pool that is lazy. */
  wake(): void {
    if (this.#mode !== 'stopped') this.#pool.wake();
  }

  #wakeForWork(): void {
    if (this.#pool.sleeps && this.#dispatcher.load().busyPartitions > 0) this.#pool.wake();
  }

  stats(): ActorStats {
    const { owners, done, inFlight } = this.#dispatcher;
    const unreadable = this.#dispatcher.standing('unreadable');
    const { threads, modes } = this.#pool;
    const { meter, partitions } = this.#options;
    return {
      actor: this.actor,
      mode: this.#mode,
      threads: modes,
      min: this.#settings.min,
      max: this.#settings.max,
      resizing: this.#resizer.busy,
      partitions: threads.map((thread) => owners.filter((owner) => owner === thread).length),
      threadStats: threadStats(threads, modes, owners, meter),
      ...lagOf(partitions, owners),
      mailboxMax: meter.mailboxMax,
      delayMs: this.#delayMs,
      done,
      inFlight,
      live: this.#news.live,
      asksPending: this.#news.asksPending,
      threadsLost: this.#threadsLost,
      unstable: this.#losses.unstable(this.#options.clock.now()),
      outage: this.#news.outage ?? (unreadable.length > 0 ? 'TETHER_ENVELOPE_VERSION' : undefined),
      broken: this.#dispatcher.standing('broken'),
      unreadable,
      settings: {
        current: this.#settings,
        file: this.#defined,
        differs: !sameSettings(this.#settings, this.#defined),
      },
    };
  }

  /** Gives the pool other limits. Resolves, and rejects, as `change` does. */
  async resize(size: PoolSize): Promise<void> {
    this.#set(this.check(limitsOf(size)));
    await this.#resize(this.#pool.threads.length);
  }

  /** The settings as they would be. @throws PoolRequestError when they cannot */
  check(change: PoolChange): PoolSettings {
    this.#assertNotStopped();
    return changed(this.#settings, change, this.#defined);
  }

  /**
   * From now on other settings hold, or, when one is not allowed, those that did. Resolves when the number of threads is within its limits,
   * and each owns its share of the partitions.
   * @throws PoolRequestError, PoolResizeError (rejects)
   */
  async change(change: PoolChange): Promise<void> {
    const { min, max } = this.#settings;
    const settings = this.check(change);
    this.#set(settings);
    // Else a resize that waits would be called back: it wants a number that the pool has not yet.
    if (settings.min !== min || settings.max !== max) await this.#resize(this.#pool.threads.length);
  }

  /** Resolves, and rejects, as `ThreadPool.configure` does. */
  async configure(settings: unknown): Promise<void> {
    this.#assertNotStopped();
    await this.#pool.configure(settings);
  }

  #set(settings: PoolSettings): void {
    this.#settings = settings;
    const { batchMax, lingerMs, inFlightMax } = settings;
    this.#pool.batch({ batchMax, lingerMs });
    this.#dispatcher.inFlightMax = inFlightMax;
  }

  async #resize(threads: number): Promise<void> {
    const { min, max } = this.#settings;
    try {
      await this.#resizer.resize(Math.min(max, Math.max(min, threads)));
    } finally {
      this.#resizedAt = this.#options.clock.now();
      this.#options.onEvent({ kind: 'resized', actor: this.actor, threads: this.#pool.threads.length });
    }
  }

  /** @throws PoolRequestError when the pool is stopped */
  adopt(partition: number, epoch: number | undefined): void {
    this.#assertNotStopped();
    this.#dispatcher.adopt(partition, epoch);
  }

  /** @throws MoveTimeoutError, MoveCancelledError (rejects) */
  giveUp(partition: number, deadlineMs: number): Promise<void> {
    return this.#dispatcher.giveUp(partition, deadlineMs);
  }

  drop(partition: number): void {
    this.#dispatcher.drop(partition);
  }

  /** Of each partition, the thread that owns it. */
  get owners(): readonly (number | undefined)[] {
    return this.#dispatcher.owners;
  }

  /** @throws PoolRequestError */
  pause(): void {
    this.#assertNotStopped();
    if (this.#mode === 'running') this.#enter('paused', 'running');
    this.#dispatcher.pause();
  }

  /** @throws PoolRequestError */
  resume(): void {
    this.#assertNotStopped();
    if (this.#mode !== 'running') this.#enter('running', 'paused', 'draining', 'drained');
    this.#endDrain?.('resumed');
    this.#dispatcher.resume();
  }

  /**
   * Pauses the pool and waits until nothing is in flight.
   * @throws PoolRequestError (rejects) when somebody waits already
   * @throws PoolDrainError (rejects) when it is not so within `deadlineMs`; the pool is paused then. Or when it was resumed.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.#assertNotStopped();
    if (this.#mode === 'drained') return;
    if (this.#mode === 'draining') throw new PoolRequestError(`the pool of ${this.actor} drains already`);
    this.#enter('draining', 'running', 'paused');
    this.#dispatcher.pause();
    const ended = new Promise<DrainOutcome>((resolve) => {
      // Called once: the first outcome counts.
      this.#endDrain = (outcome) => {
        this.#endDrain = undefined;
        if (outcome === 'late') this.#enter('paused', 'draining');
        resolve(outcome);
      };
    });
    const cancelDeadline = this.#options.clock.after(deadlineMs, () => this.#endDrain?.('late'));
    this.#settled();
    const outcome = await ended;
    cancelDeadline();
    if (outcome === 'drained') return;
    const { inFlight } = this.#dispatcher;
    const why = outcome === 'late' ? `${inFlight} messages in flight after ${deadlineMs} ms` : outcome;
    throw new PoolDrainError(`the pool of ${this.actor} did not drain: ${why}`);
  }

  /** Sends nothing more, lets threads finish for at most `deadlineMs`, and ends them. */
  async stop(deadlineMs: number): Promise<void> {
    this.#enter('stopped', 'running', 'paused', 'draining', 'drained');
    this.#cancelLook();
    this.#endDrain?.('stopped');
    this.#resizer.stop();
    this.#dispatcher.stop();
    await this.#pool.drain(deadlineMs);
  }

  #enter(mode: PoolMode, ...from: readonly PoolMode[]): void {
    if (!from.includes(this.#mode)) throw new Error(`a pool that is ${this.#mode} cannot become ${mode}`);
    this.#mode = mode;
    this.#options.logger.debug({ actor: this.actor, mode }, 'the pool has another mode');
  }

  #assertNotStopped(): void {
    if (this.#mode === 'stopped') throw new PoolRequestError(`the pool of ${this.actor} is stopped`);
  }

  #settled(): void {
    if (this.#mode !== 'draining' || this.#dispatcher.inFlight > 0) return;
    this.#enter('drained', 'draining');
    this.#endDrain?.('drained');
  }

  readonly #look = (): void => {
    const { clock, policy, logger } = this.#options;
    this.#cancelLook = clock.after(LOOK_MS, this.#look);
    const now = clock.now();
    const { delayMs, busyPartitions } = this.#dispatcher.load();
    this.#delayMs = delayMs + this.#news.delayMs(now);
    if (this.#resizer.busy) return;
    const threads = this.#pool.threads.length;
    let wanted = threads;
    const standsStill = this.#mode !== 'running' || this.#options.gate.isShut;
    if (standsStill || this.#news.outage !== undefined || this.#losses.unstable(now)) {
      this.#scale = undecided(this.#scale);
    } else {
      const { min, max } = this.#settings;
      const sample = { now, delayMs: this.#delayMs, busyPartitions, threads, min, max };
      const decision = autoscale(this.#scale, sample, policy.autoscale);
      this.#scale = decision.state;
      wanted = decision.wanted;
    }
    const again = this.#resizer.unfinished && now - this.#resizedAt >= RETRY_MS;
    if (wanted === threads && !again) return;
    const fields = { actor: this.actor, threads, wanted, delayMs: Math.round(this.#delayMs) };
    logger.info(fields, again ? 'a resize that failed is tried again' : 'the pool is resized');
    this.#resize(wanted).catch((error: unknown) => {
      if (this.#mode !== 'stopped') logger.warn({ ...fields, err: error }, 'a pool could not be resized');
    });
  };

  #message(thread: number, message: ToMain): void {
    switch (message.type) {
      case 'ready':
        this.#options.mesh.joined(thread, (message, transfer) => this.#pool.say(thread, message, transfer));
        this.#options.onEvent({ kind: 'thread-started', actor: this.actor, thread });
        this.#dispatcher.attach(thread);
        this.#resizer.ready(thread);
        break;
      case 'done':
        this.#news.done(thread, message);
        this.#dispatcher.finished(thread, message);
        break;
      case 'dead':
        tellDead(this.#options, message);
        this.#dispatcher.gaveUp(thread, message);
        break;
      case 'forgotten':
        if (message.unreadable !== undefined) {
          const fields = { actor: this.actor, code: 'TETHER_ENVELOPE_VERSION', ...message.unreadable };
          this.#options.logger.warn(
            fields,
            'a partition waits for a later release, which wrote what is on it',
          );
        }
        this.#dispatcher.forgotten(thread, message);
        break;
      case 'parked':
        this.#dispatcher.parked(thread, message);
        break;
      case 'outage':
        this.#noteOutage(thread, message);
        break;
      case 'load':
        this.#news.load(thread, message, this.#options.clock.now());
        break;
      case 'events':
        for (const event of message.events) this.#options.onEvent(event);
        break;
      case 'connect':
      case 'settled':
        this.#options.mesh.received(thread, message);
        break;
      case 'configured':
      case 'log':
        break;
    }
  }

  #lost(thread: number, error: Error): void {
    this.#threadsLost++;
    this.#options.onEvent({ kind: 'thread-lost', actor: this.actor, thread, cause: causeOf(error) });
    this.#news.forget(thread);
    const { clock, logger, policy } = this.#options;
    if (this.#losses.lost(clock.now())) {
      logger.error({ actor: this.actor, ...policy.losses }, 'threads are lost again and again');
    }
    this.#dispatcher.detach(thread);
  }

  #noteOutage(thread: number, outage: Outage): void {
    const { code, message, fenced = [] } = outage;
    const before = this.#news.outageOf(thread, outage);
    const fields = { actor: this.actor, thread, code: code ?? before };
    if (code !== before) this.#options.onEvent({ kind: 'outage', actor: this.actor, thread, code });
    if (fenced.length > 0) this.#options.onEvent({ kind: 'fenced', actor: this.actor, partitions: fenced });
    if (code !== undefined && before === undefined) {
      this.#options.logger.warn({ ...fields, reason: message }, 'an actor waits for what it depends on');
    } else if (code === undefined && before !== undefined) {
      this.#options.logger.info(fields, 'what an actor depends on is back');
    }
  }
}
