import type { ActorRef, AskOptions, DurableOptions, TellOptions } from '../actor-ref.js';
import type { Tracing } from '../tracing.js';
import type { Activation } from './activation.js';
import { Ask, type Hop, NO_HOPS } from './ask.js';
import { AddressBase } from './codec.js';
import type { Deadlines } from './deadlines.js';

const ASK_MS = 5_000;
const ASK_MS_MAX = 3_600_000;

/** Whoever asks, and the calls that wait for it. */
export interface HopSource {
  hops(): readonly Hop[];
}

/** What references need of the kernel. */
export interface RefKernel {
  readonly deadlines: Deadlines;
  /** While messages carry the position of the active span. */
  readonly tracing: Tracing | undefined;
  /** Whose `receive` runs this very moment. */
  readonly running: HopSource | undefined;
  /** The activation of that type and key, if it belongs in this thread. */
  here(type: string, key: string): Activation | undefined;
  /** `body` as it goes into the mailbox of `activation`. */
  mail(activation: Activation, key: string, body: unknown, traceparent: string): unknown;
  tellElsewhere(ref: Ref, body: unknown, traceparent: string): Promise<void> | undefined;
  tellDurably(ref: Ref, body: unknown, options: DurableOptions): Promise<string>;
  ask(ref: Ref, body: unknown, ask: Ask, traceparent: string | undefined): void;
}

/**
 * A reference as senders hold it. It remembers the activation that it found, so that a message to one of the same thread costs
 * no look-up.
 */
export class Ref extends AddressBase implements ActorRef {
  readonly type: string;
  readonly key: string;
  readonly #kernel: RefKernel;
  /** Whose calls wait for what is asked here. */
  readonly #owner: HopSource | undefined;
  #activation: Activation | undefined;

  constructor(type: string, key: string, kernel: RefKernel, owner: HopSource | undefined) {
    super();
    this.type = type;
    this.key = key;
    this.#kernel = kernel;
    this.#owner = owner;
  }

  tell(body: unknown, options?: TellOptions): Promise<void> | undefined {
    const found = this.#activation;
    if (
      found !== undefined &&
      found.mode !== 'stopped' &&
      options === undefined &&
      this.#kernel.tracing === undefined
    )
      return found.tell(body);
    return this.#find(body, options);
  }

  #find(body: unknown, options: TellOptions | undefined): Promise<void> | undefined {
    const kernel = this.#kernel;
    const traceparent = options?.traceparent ?? kernel.tracing?.active() ?? '';
    const activation = kernel.here(this.type, this.key);
    if (activation === undefined) return kernel.tellElsewhere(this, body, traceparent);
    if (activation.host.keyed) this.#activation = activation;
    return activation.tell(kernel.mail(activation, this.key, body, traceparent));
  }

  tellDurably(body: unknown, options: DurableOptions = {}): Promise<string> {
    return this.#kernel.tellDurably(this, body, options);
  }

  ask(body: unknown, options: AskOptions = {}): Promise<never> {
    const { timeoutMs = ASK_MS, signal, traceparent } = options;
    const { tracing } = this.#kernel;
    if (!(timeoutMs >= 1 && timeoutMs <= ASK_MS_MAX)) {
      return Promise.reject(new RangeError(`timeoutMs is not from 1 to ${ASK_MS_MAX}: ${timeoutMs}`));
    }
    if (tracing === undefined) return this.#ask(body, timeoutMs, signal, traceparent);
    return tracing.ask(this, traceparent, (traceparent) => this.#ask(body, timeoutMs, signal, traceparent));
  }

  #ask(
    body: unknown,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    traceparent: string | undefined,
  ): Promise<never> {
    return new Promise((resolve, reject) => {
      const kernel = this.#kernel;
      // A reference that came in a body has no owner, or that of its sender: who runs is who asks. After an await nobody runs.
      const hops = (kernel.running ?? this.#owner)?.hops() ?? NO_HOPS;
      const ask = new Ask(
        this,
        { hops, timeoutMs },
        kernel.deadlines,
        resolve as (value: unknown) => void,
        reject,
      );
      if (signal !== undefined) ask.listen(signal);
      if (ask.mode === 'pending') kernel.ask(this, body, ask, traceparent);
    });
  }

  override toString(): string {
    return `${this.type}/${this.key}`;
  }
}
