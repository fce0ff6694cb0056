/**
 * One life of the thread that a test system pretends to be: from its start to its end by `crash` or `stop`. What it holds (a
 * kernel, activations, volatile messages, asks under way) is gone with it; the log and the test are not.
 */
import type { ActorDefinition } from '../actor.js';
import { batchingOf } from '../batching.js';
import type { Clock } from '../clock.js';
import type { ActorEvent } from '../events.js';
import type { Outcome } from '../kernel/entry.js';
import type { Transport } from '../kernel/kernel.js';
import type { TypeHost } from '../kernel/type-host.js';
import type { Logger } from '../logger.js';
import type { RetryPolicy } from '../retry.js';
import type { Order } from './order.js';
import { TestKernel } from './test-kernel.js';

export interface LifeOptions {
  /** From 1; 0 is the test itself. */
  readonly number: number;
  readonly clock: Clock;
  readonly order: Order;
  readonly retry: RetryPolicy;
  readonly receiveMsMax: number;
  readonly logger: Logger;
  /** Whether bodies are held to what crosses a thread. */
  readonly strict: boolean;
  /** An activation met an error of the runtime. */
  readonly onFailure: (error: unknown) => void;
  readonly onEvent: (event: ActorEvent) => void;
}

const WAITING_MAX = 1_000_000;
/** As in a worker thread. */
const SWEEP_MS = 1_000;

/** An ask on its way to an actor of this life, or its answer on the way back. */
export interface PendingAsk {
  /** The life is over. */
  lost(error: Error | undefined): void;
}

export class Life {
  readonly kernel: TestKernel;
  /** Asks without an answer at their asker. */
  readonly asks = new Set<PendingAsk>();
  /** Messages on their way, by sender and receiver. */
  readonly ways = new Map<string, { push(arrive: () => void): void }>();
  readonly #options: LifeOptions;
  readonly #hosts = new Map<string, TypeHost>();
  #mode: 'live' | 'over' = 'live';
  #cancelSweep = () => {};

  constructor(options: LifeOptions, transport: (life: Life) => Transport) {
    const { number, clock, order, retry, receiveMsMax, logger, strict, onFailure, onEvent } = options;
    const { random, choose, runs } = order;
    this.#options = options;
    this.kernel = new TestKernel(
      {
        clock,
        random,
        retry,
        receiveMsMax,
        waitingMax: WAITING_MAX,
        logger: { ...logger, error: (fields) => onFailure((fields as { readonly err: unknown }).err) },
        transport: transport(this),
        onEvent,
        id: number,
        choose,
        runs,
      },
      strict,
    );
  }

  get over(): boolean {
    return this.#mode === 'over';
  }

  get hosts(): Iterable<TypeHost> {
    return this.#hosts.values();
  }

  host(type: string): TypeHost | undefined {
    return this.#hosts.get(type);
  }

  /** Adds an actor type. Without a promise when its `open` returned none. */
  open(definition: ActorDefinition, settings: unknown, outcome: Outcome): Promise<void> | undefined {
    const { logger } = this.#options;
    const { type: actor } = definition;
    const resources = definition.open?.({ actor, thread: 0, settings, logger });
    if (resources instanceof Promise)
      return resources.then((value) => this.#host(definition, value, outcome));
    this.#host(definition, resources, outcome);
    return undefined;
  }

  /** Looks every second for what is idle, and for calls that hang: `onHung`. */
  startSweeps(onHung: (type: string) => void): void {
    const { clock, receiveMsMax } = this.#options;
    this.#cancelSweep = clock.after(SWEEP_MS, () => {
      this.startSweeps(onHung);
      this.kernel.sweep();
      for (const host of this.#hosts.values()) {
        const since = host.suspendedSince();
        if (since !== undefined && clock.now() - since > receiveMsMax) {
          onHung(host.type);
          return;
        }
      }
    });
  }

  /** Whether an actor waits for something in a call. */
  get suspended(): boolean {
    for (const host of this.#hosts.values()) if (host.suspendedSince() !== undefined) return true;
    return false;
  }

  flushEvents(): void {
    for (const host of this.#hosts.values()) host.flushEvents();
  }

  /** Without a reason whoever asked from outside hears nothing. */
  end(reason: Error | undefined): void {
    this.flushEvents();
    this.#mode = 'over';
    this.#cancelSweep();
    for (const ask of this.asks) ask.lost(reason);
    this.asks.clear();
    this.kernel.stop(reason ?? new Error('the life is over'));
  }

  #host(definition: ActorDefinition, resources: unknown, outcome: Outcome): void {
    if (this.over) return;
    const { order, logger } = this.#options;
    const { type } = definition;
    const batchMax = order.batchMax(batchingOf(definition).batchMax);
    const drawn = Object.create(definition, { batchMax: { value: batchMax } }) as ActorDefinition;
    this.#hosts.set(type, this.kernel.host({ definition: drawn, resources, logger, outcome }));
    // None of its partitions: every message takes the way of the transport, which encodes it and may lose it.
    this.kernel.own(type, [false]);
  }
}
