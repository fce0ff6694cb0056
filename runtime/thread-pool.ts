/**
 * The threads of one actor type: a Piscina pool in which each thread runs one long-lived host task.
 *
 * Piscina starts and replaces the threads and keeps the bulkhead; routing is ours, over one MessagePort a thread, because
 * Piscina cannot route by key and a task per message costs 16 us.
 *
 * A slot of the pool goes through these modes:
 *   starting --Ready--> ready --drain--> draining --task resolved--> ended
 *   starting, ready --task rejected or resolved unasked--> lost --backoff--> starting
 *   any --destroy--> ended
 * A thread whose event loop stands still is cut off: for the pool that is a task rejected.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Clock } from './clock.js';
import { ReceiveTimeoutError } from './errors.js';
import { asError } from './failure.js';
import type { Logger } from './logger.js';
import { PulseWatch } from './pulse.js';
import { backoffMs, type RetryPolicy } from './retry.js';
import type { Drain, HostTask, ToMain } from './worker-protocol.js';

export type SlotMode = 'starting' | 'ready' | 'draining' | 'lost' | 'ended';

export interface ThreadPoolOptions {
  readonly threads: number;
  readonly task: Omit<HostTask, 'port' | 'thread' | 'pulse'>;
  /** Heap limit of a thread in MiB. */
  readonly heapMibMax: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Everything a thread says but `Log`; `Ready` comes first in each life of a thread. */
  onMessage(thread: number, message: ToMain): void;
  /** A thread ended: it takes nothing more. What it said before its end comes now, through `onMessage`. */
  onEnding(thread: number): void;
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
  cancelRestart: () => void;
  ended: Promise<void>;
}

const RESTART: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 20, delayMsMax: 10_000 };
const STEADY_MS = 60_000;

export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  readonly #piscina: Piscina<HostTask, void>;
  readonly #slots: Slot[];

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.#piscina = new Piscina({
      filename: new URL('./worker/host.js', import.meta.url).href,
      minThreads: options.threads,
      maxThreads: options.threads,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: 'async',
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: options.heapMibMax, maxYoungGenerationSizeMb: 16 },
    });
    this.#slots = Array.from({ length: options.threads }, () => ({
      mode: 'ended',
      port: undefined,
      losses: 0,
      startedAt: 0,
      watch: undefined,
      cancelRestart: () => {},
      ended: Promise.resolve(),
    }));
  }

  start(): void {
    for (const thread of this.#slots.keys()) this.#start(thread);
  }

  /** Modes of the threads, by their number. */
  get modes(): readonly SlotMode[] {
    return this.#slots.map(({ mode }) => mode);
  }

  /** Sends to a thread that is ready; `buffer` is transferred. */
  post(thread: number, message: object, buffer: ArrayBuffer): void {
    const { mode, port } = this.#slot(thread);
    if (mode !== 'ready' || port === undefined) throw new Error(`thread ${thread} is ${mode}, not ready`);
    port.postMessage(message, [buffer]);
  }

  /** Lets each thread finish what it has and end. Resolves then, or after `deadlineMs` with what still runs cut off. */
  async drain(deadlineMs: number): Promise<void> {
    for (const slot of this.#slots) {
      slot.cancelRestart();
      if (slot.mode === 'ready' || slot.mode === 'starting') {
        slot.mode = 'draining';
        slot.port?.postMessage({ type: 'drain' } satisfies Drain);
      } else {
        slot.mode = 'ended';
      }
    }
    let cancel = () => {};
    const deadline = new Promise<'late'>((resolve) => {
      cancel = this.#options.clock.after(deadlineMs, () => resolve('late'));
    });
    const ended = Promise.all(this.#slots.map((slot) => slot.ended));
    const late = (await Promise.race([ended, deadline])) === 'late';
    cancel();
    if (late) this.#options.logger.warn({ deadlineMs }, 'threads did not drain in time and are cut off');
    for (const slot of this.#slots) slot.mode = 'ended';
    await this.#piscina.destroy();
    await ended;
  }

  #slot(thread: number): Slot {
    const slot = this.#slots[thread];
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
    const cutOff = new AbortController();
    let blocked: ReceiveTimeoutError | undefined;
    slot.watch = new PulseWatch(this.#options.clock, receiveMsMax, () => {
      blocked = new ReceiveTimeoutError(`actor ${actor} blocked its thread for ${receiveMsMax} ms`);
      cutOff.abort();
    });
    const task: HostTask = { ...this.#options.task, thread, port: port2, pulse: slot.watch.pulse };
    // Piscina ends the thread of a task that is aborted.
    slot.ended = this.#piscina.run(task, { transferList: [port2], signal: cutOff.signal }).then(
      () => this.#over(thread, port, new Error('the thread ended unasked')),
      (error: unknown) => this.#over(thread, port, blocked ?? asError(error)),
    );
  }

  #message(thread: number, port: MessagePort, message: ToMain): void {
    const slot = this.#slot(thread);
    if (slot.port !== port) return;
    if (message.type === 'log') {
      this.#options.logger[message.level](message.fields, message.message);
      return;
    }
    if (message.type === 'ready' && slot.mode === 'starting') slot.mode = 'ready';
    this.#options.onMessage(thread, message);
  }

  #over(thread: number, port: MessagePort, error: Error): void {
    const slot = this.#slot(thread);
    // What the thread said before its end is still in the port: messages are taken up to here, none after. They must not
    // lead to a delivery, which nobody would take and whose messages would be accused of the end.
    this.#options.onEnding(thread);
    this.#takeRest(thread, port);
    port.close();
    slot.port = undefined;
    slot.watch?.stop();
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
