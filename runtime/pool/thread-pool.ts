/**
 * The threads of one actor type: a Piscina pool in which each thread runs one long-lived host task.
 *
 * Piscina starts and replaces the threads and keeps the bulkhead; routing is ours, over one MessagePort a thread, because
 * Piscina cannot route by key and a task per message costs 16 us.
 *
 * Threads come (`add`) and go (`remove`) at run time. Piscina 5 reads its `maxThreads` once, and there is no setter; but below it,
 * it starts a thread for each task that finds none free, and with `minThreads: 0` and `idleTimeout: 0` ends a thread when its task
 * is over. So a slot has a thread for as long as it runs a task, and the pool is as large as the number of tasks.
 *
 * A slot of the pool goes through these modes:
 *   asleep --something for it--> starting                  of a lazy pool, at first
 *   starting --Ready--> ready --drain, remove--> draining --task resolved--> ended
 *   starting, ready --cut off--> ending --thread ended--> lost
 *   starting, ready --task rejected or resolved unasked--> lost --backoff--> starting
 *   any --destroy--> ended
 * A thread whose event loop stands still is cut off: for the pool that is a task rejected. It is lost when it has ended: before, it
 * might still do something for a message that another thread has by then (P2).
 */
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  type Transferable,
} from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Batching } from '../batching.js';
import type { Clock } from '../clock.js';
import { PoolRequestError, ReceiveTimeoutError } from '../errors.js';
import { asError } from '../failure.js';
import type { Logger } from '../logger.js';
import type { MeshToWorker } from '../mesh/protocol.js';
import { backoffMs, type RetryPolicy } from '../retry.js';
import { within } from '../within.js';
import type { Batch, Drain, HostTask, Settings, ToMain } from '../worker-protocol.js';
import { THREADS_MAX } from './pool-size.js';
import { PulseWatch } from './pulse.js';
import { SettingsChanges } from './settings-changes.js';

export type SlotMode = 'asleep' | 'starting' | 'ready' | 'draining' | 'ending' | 'lost' | 'ended';

/** What is the same for every thread of a pool. `batching` and `settings` are those of the first ones. */
export type PoolTask = Omit<HostTask, 'port' | 'thread' | 'pulse' | 'settingsVersion'>;

export interface ThreadPoolOptions {
  /** Threads at the start, numbered from 0. */
  readonly threads: number;
  readonly task: PoolTask;
  /** Heap limit of a thread in MiB. */
  readonly heapMibMax: number;
  readonly youngHeapMib: number;
  /** Its threads are asleep at first. */
  readonly lazy?: boolean;
  /** Whether the actor takes other settings while it is open. */
  readonly configures?: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Everything a thread says but `Log`; `Ready` comes first in each life of a thread. */
  onMessage(thread: number, message: ToMain): void;
  /** A thread ended, or is about to: it takes nothing more. What it said before its end still comes, through `onMessage`. */
  onEnding(thread: number): void;
  /** It has ended, and has said everything. */
  onEnded(thread: number): void;
  /** A thread ended unasked; nothing of its life comes any more. It is started again after a backoff. */
  onLost(thread: number, error: Error): void;
}

interface Slot {
  mode: SlotMode;
  port: MessagePort | undefined;
  /** Ends in a row without a minute of life between them. */
  losses: number;
  startedAt: number;
  watch: PulseWatch | undefined;
  /** Ends the thread at once, if it runs. */
  cutOff: (error: Error) => void;
  cancelStartLimit: () => void;
  cancelRestart: () => void;
  ended: Promise<void>;
}

const RESTART: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 20, delayMsMax: 10_000 };
const STEADY_MS = 60_000;
/** From the start of a task to the first sign of life of its thread: Piscina does not tell when a thread could not start at all. */
const START_MS_MAX = 60_000;
/** A thread in a call of native code ends only after it. */
const EXIT_MS_MAX = 5_000;

export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  readonly #piscina: Piscina<HostTask, void>;
  readonly #slots = new Map<number, Slot>();
  #batching: Batching;
  #settings: unknown;
  readonly #changes: SettingsChanges;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.#batching = options.task.batching;
    this.#settings = options.task.settings;
    this.#changes = new SettingsChanges(options.task.actor);
    this.#piscina = new Piscina({
      filename: new URL('../worker/load-host.cjs', import.meta.url).href,
      minThreads: 0,
      maxThreads: THREADS_MAX,
      concurrentTasksPerWorker: 1,
      idleTimeout: 0,
      atomics: 'async',
      recordTiming: false,
      resourceLimits: {
        maxOldGenerationSizeMb: options.heapMibMax,
        maxYoungGenerationSizeMb: options.youngHeapMib,
      },
    });
    // Of a thread that runs no task, which is about to end anyway.
    this.#piscina.on('error', (error: unknown) =>
      options.logger.warn({ err: error }, 'an idle thread failed'),
    );
    for (let thread = 0; thread < options.threads; thread++) this.#slots.set(thread, endedSlot());
  }

  /** Starts the threads; those of a lazy pool are asleep until `wake`. */
  start(): void {
    if (!this.#options.lazy) for (const thread of this.#slots.keys()) this.#start(thread);
    else for (const slot of this.#slots.values()) slot.mode = 'asleep';
  }

  /** Starts the threads that are asleep. */
  wake(): void {
    for (const [thread, { mode }] of this.#slots) if (mode === 'asleep') this.#start(thread);
  }

  get sleeps(): boolean {
    return [...this.#slots.values()].some(({ mode }) => mode === 'asleep');
  }

  /** Numbers of the threads, ascending. */
  get threads(): readonly number[] {
    return [...this.#slots.keys()].sort((a, b) => a - b);
  }

  /** Modes of the threads, in the order of their numbers. */
  get modes(): readonly SlotMode[] {
    return this.threads.map((thread) => this.#slot(thread).mode);
  }

  mode(thread: number): SlotMode {
    return this.#slot(thread).mode;
  }

  /**
   * Starts one more thread. Returns its number, the lowest that no living thread has.
   * @throws PoolRequestError when there are as many as may be
   */
  add(): number {
    if (this.#slots.size >= THREADS_MAX) {
      throw new PoolRequestError(`a pool has at most ${THREADS_MAX} threads`);
    }
    this.wake();
    let thread = 0;
    while (this.#slots.has(thread)) thread++;
    this.#slots.set(thread, endedSlot());
    this.#start(thread);
    return thread;
  }

  /** Lets a thread finish what it has and end, or cuts it off after `deadlineMs`. Its number is free again when this resolves. */
  async remove(thread: number, deadlineMs: number): Promise<void> {
    const slot = this.#slot(thread);
    this.#askToEnd(slot, deadlineMs);
    if ((await within(this.#options.clock, deadlineMs, slot.ended)) === 'late') {
      const error = new Error(`thread ${thread} did not drain in ${deadlineMs} ms`);
      slot.cutOff(error);
      await slot.ended;
      this.#options.logger.warn({ err: error, thread }, 'a thread is cut off');
    }
    this.#slots.delete(thread);
  }

  /** Sends to a thread that is ready; `buffer` is transferred. */
  post(thread: number, message: object, buffer: ArrayBuffer): void {
    const { mode, port } = this.#slot(thread);
    if (mode !== 'ready' || port === undefined) throw new Error(`thread ${thread} is ${mode}, not ready`);
    port.postMessage(message, [buffer]);
  }

  /** Sends to a thread that lives; one that does not gets nothing. */
  say(thread: number, message: MeshToWorker, transfer: readonly Transferable[] = []): void {
    this.#slots.get(thread)?.port?.postMessage(message, transfer);
  }

  /** How threads put batches together from now on: those that live, and those that start later. */
  batch(batching: Batching): void {
    this.#batching = batching;
    for (const { port } of this.#slots.values())
      port?.postMessage({ type: 'batch', batching } satisfies Batch);
  }

  /**
   * The settings of the actor from now on: threads that live get them between two batches, those that start later open with them. Resolves
   * when every thread that was ready has them, or later ones, or has ended.
   * @throws PoolRequestError (rejects) when the actor takes none, or they cannot be sent to a thread: nothing is changed then
   * @throws ActorSettingsError (rejects) when threads have refused them
   */
  async configure(settings: unknown): Promise<void> {
    const { task, configures = false } = this.#options;
    if (!configures) {
      const why = 'its definition has no configure';
      throw new PoolRequestError(
        `the settings of actor ${task.actor} cannot be changed while it runs: ${why}`,
      );
    }
    // A copy: what its owner does with it later is no change.
    const copy = sendable(task.actor, settings);
    const ready = this.threads.filter((thread) => this.mode(thread) === 'ready');
    const { version, taken } = this.#changes.begin(ready);
    this.#settings = copy;
    for (const { port } of this.#slots.values())
      port?.postMessage({ type: 'settings', version, settings: copy } satisfies Settings);
    await taken;
  }

  /** Lets each thread finish what it has and end. Resolves then, or after `deadlineMs` with what still runs cut off. */
  async drain(deadlineMs: number): Promise<void> {
    const slots = [...this.#slots.values()];
    for (const slot of slots) this.#askToEnd(slot, deadlineMs);
    const ended = Promise.all(slots.map((slot) => slot.ended));
    const late = (await within(this.#options.clock, deadlineMs, ended)) === 'late';
    if (late) this.#options.logger.warn({ deadlineMs }, 'threads did not drain in time and are cut off');
    for (const slot of slots) slot.mode = 'ended';
    await this.#piscina.destroy();
    await ended;
  }

  #askToEnd(slot: Slot, deadlineMs: number): void {
    slot.cancelRestart();
    if (slot.mode === 'ready' || slot.mode === 'starting') {
      slot.mode = 'draining';
      slot.port?.postMessage({ type: 'drain', deadlineMs } satisfies Drain);
    } else if (slot.mode !== 'draining') {
      slot.mode = 'ended';
    }
  }

  #slot(thread: number): Slot {
    const slot = this.#slots.get(thread);
    if (slot === undefined) throw new RangeError(`no thread ${thread}`);
    return slot;
  }

  #start(thread: number): void {
    const slot = this.#slot(thread);
    const { port1: port, port2 } = new MessageChannel();
    slot.mode = 'starting';
    slot.port = port;
    slot.startedAt = this.#options.clock.now();
    port.on('message', (message: ToMain) => this.#message(thread, port, message));
    const { actor, receiveMsMax } = this.#options.task;
    const abort = new AbortController();
    let reason: Error | undefined;
    let exited: Promise<unknown> = Promise.resolve();
    slot.cutOff = (error) => {
      reason ??= error;
      if (slot.mode === 'starting' || slot.mode === 'ready') slot.mode = 'ending';
      // What is sent from now on would be accused of the end.
      this.#options.onEnding(thread);
      const before = this.#piscina.threads;
      // Piscina ends the thread of a task that is aborted, and forgets it at once.
      abort.abort();
      const after = new Set(this.#piscina.threads);
      const gone = before.filter((worker) => !after.has(worker));
      exited = Promise.all(gone.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
    };
    slot.watch = new PulseWatch(this.#options.clock, receiveMsMax, () => {
      slot.cutOff(new ReceiveTimeoutError(`actor ${actor} blocked its thread for ${receiveMsMax} ms`));
    });
    const { pulse } = slot.watch;
    slot.cancelStartLimit = this.#options.clock.after(START_MS_MAX, () => {
      if (Atomics.load(pulse, 0) === 0)
        slot.cutOff(new Error(`the thread did not start in ${START_MS_MAX} ms`));
    });
    const task: HostTask = {
      ...this.#options.task,
      batching: this.#batching,
      settings: this.#settings,
      settingsVersion: this.#changes.version,
      thread,
      port: port2,
      pulse,
    };
    const run = async () => this.#piscina.run(task, { transferList: [port2], signal: abort.signal });
    slot.ended = run().then(
      () => this.#over(thread, port, new Error('the thread ended unasked')),
      async (error: unknown) => {
        await within(this.#options.clock, EXIT_MS_MAX, exited);
        this.#over(thread, port, reason ?? asError(error));
      },
    );
  }

  #message(thread: number, port: MessagePort, message: ToMain): void {
    const slot = this.#slots.get(thread);
    if (slot?.port !== port) return;
    if (message.type === 'log') {
      this.#options.logger[message.level](message.fields, message.message);
      return;
    }
    if (message.type === 'configured') {
      this.#changes.answered(thread, message);
      return;
    }
    if (message.type === 'ready') {
      // It may have been told to end meanwhile.
      if (slot.mode !== 'starting') return;
      slot.mode = 'ready';
    }
    this.#options.onMessage(thread, message);
  }

  #over(thread: number, port: MessagePort, error: Error): void {
    const slot = this.#slot(thread);
    // What the thread said before its end is still in the port: messages are taken up to here, none after. They must not
    // lead to a delivery, which nobody would take and whose messages would be accused of the end.
    this.#options.onEnding(thread);
    this.#takeRest(thread, port);
    this.#changes.gone(thread);
    this.#options.onEnded(thread);
    port.close();
    slot.port = undefined;
    slot.watch?.stop();
    slot.cancelStartLimit();
    if (slot.mode === 'draining' || slot.mode === 'ended') {
      slot.mode = 'ended';
      return;
    }
    slot.mode = 'lost';
    const { clock, random, logger, onLost } = this.#options;
    slot.losses = clock.now() - slot.startedAt > STEADY_MS ? 1 : slot.losses + 1;
    const delayMs = backoffMs(slot.losses, RESTART, random);
    logger.error(
      { err: error, thread, losses: slot.losses, delayMs },
      'a worker thread ended and is replaced',
    );
    onLost(thread, error);
    slot.cancelRestart = clock.after(delayMs, () => this.#start(thread));
  }

  #takeRest(thread: number, port: MessagePort): void {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      const message = next.message as ToMain;
      if (message.type !== 'ready') this.#message(thread, port, message);
    }
  }
}

/** @throws PoolRequestError */
function sendable(actor: string, settings: unknown): unknown {
  try {
    return structuredClone(settings);
  } catch (cause) {
    throw new PoolRequestError(`the settings of actor ${actor} cannot be sent to a thread`, { cause });
  }
}

function endedSlot(): Slot {
  return {
    mode: 'ended',
    port: undefined,
    losses: 0,
    startedAt: 0,
    watch: undefined,
    cutOff: () => {},
    cancelStartLimit: () => {},
    cancelRestart: () => {},
    ended: Promise.resolve(),
  };
}
