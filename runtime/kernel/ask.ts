/**
 * An ask under way, at its asker: the promise, its deadline, and the way of calls that led to it.
 *
 * It ends exactly once: by the reply, an error, its deadline or the asker's signal. An ask that is over is in no list, so
 * that nothing pending is ever leaked.
 */
import { AskCycleError, AskTimeoutError } from '../errors.js';
import { Deadline, type Deadlines } from './deadlines.js';
import type { Debt } from './debts.js';

/** A call of `receive` that waits for an ask. */
export interface Hop {
  readonly type: string;
  readonly key: string;
  /** Unique among the calls of all threads. */
  readonly call: number;
}

/** `abandoned`: the asker gave up before there was an answer. */
export type AskMode = 'pending' | 'answered' | 'abandoned';

/** What a message that was asked is answered by: an `Ask` of this thread, or its stand-in for one of another. */
export interface Answerable extends Debt<Answerable> {
  readonly mode: AskMode;
  /** The calls that wait for the reply, the first caller first. */
  readonly hops: readonly Hop[];
  /** Who owes the answer. */
  debtor: Debtor | undefined;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** An activation that has a message which was asked. */
export interface Debtor {
  /** The message was taken to be handled. */
  owe(ask: Answerable): void;
  /** It is answered, or nobody waits for it any more. */
  askOver(ask: Answerable): void;
}

export const NO_HOPS: readonly Hop[] = [];
/** Calls in a chain beyond which the first ones are forgotten. */
export const HOPS_MAX = 64;

export class Ask extends Deadline implements Answerable {
  mode: AskMode = 'pending';
  debtor: Debtor | undefined = undefined;
  olderDebt: Answerable | undefined = undefined;
  newerDebt: Answerable | undefined = undefined;
  /** Called when it is abandoned, so that a receiver in another thread is told. */
  onAbandoned: (() => void) | undefined = undefined;
  readonly hops: readonly Hop[];
  readonly #target: { toString(): string };
  readonly #timeoutMs: number;
  readonly #deadlines: Deadlines;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: Error) => void;
  #unlisten: (() => void) | undefined;

  constructor(
    target: { toString(): string },
    { hops, timeoutMs }: { readonly hops: readonly Hop[]; readonly timeoutMs: number },
    deadlines: Deadlines,
    resolve: (value: unknown) => void,
    reject: (error: Error) => void,
  ) {
    super();
    this.hops = hops;
    this.#target = target;
    this.#timeoutMs = timeoutMs;
    this.#deadlines = deadlines;
    this.#resolve = resolve;
    this.#reject = reject;
    deadlines.set(this, timeoutMs);
  }

  /** Gives up when the signal fires. */
  listen(signal: AbortSignal): void {
    const abandon = () =>
      this.#abandon(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    if (signal.aborted) {
      abandon();
      return;
    }
    signal.addEventListener('abort', abandon, { once: true });
    this.#unlisten = () => signal.removeEventListener('abort', abandon);
  }

  resolve(value: unknown): void {
    if (this.mode !== 'pending') return;
    this.#end('answered');
    this.#resolve(value);
  }

  reject(error: Error): void {
    if (this.mode !== 'pending') return;
    this.#end('answered');
    this.#reject(error);
  }

  expire(): void {
    this.#abandon(new AskTimeoutError(`${this.#target} did not reply in ${this.#timeoutMs} ms`));
  }

  #abandon(error: Error): void {
    if (this.mode !== 'pending') return;
    const { onAbandoned } = this;
    this.#end('abandoned');
    onAbandoned?.();
    this.#reject(error);
  }

  #end(mode: AskMode): void {
    this.mode = mode;
    this.#deadlines.lift(this);
    this.#unlisten?.();
    this.debtor?.askOver(this);
    this.debtor = undefined;
    this.onAbandoned = undefined;
  }
}

/** When a call is among the hops, which is to say, waits for itself. `callId`: 0 for none. */
export function cycleOf(hops: readonly Hop[], callId: number): AskCycleError | undefined {
  if (callId === 0 || hops.length === 0) return undefined;
  const at = hops.findIndex(({ call }) => call === callId);
  if (at < 0) return undefined;
  const names = [...hops.slice(at), ...hops.slice(at, at + 1)].map(({ type, key }) => `${type}/${key}`);
  return new AskCycleError(`a cycle of asks: ${names.join(' -> ')}`);
}
