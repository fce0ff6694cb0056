/**
 * The calls of `receive` under way in one activation, and what each is handed as its context: the same one for all of them, as they
 * follow each other, or in a reentrant type one for each.
 */
import { ActivationContext, type ContextOwner } from './context.js';
import type { VolatileMessage } from './letter.js';

export class Calls {
  /** More than one only in a reentrant type. */
  count = 0;
  readonly #owner: ContextOwner;
  readonly #context: ActivationContext;
  #contexts: Set<ActivationContext> | undefined;
  #waiters: (() => void)[] = [];

  constructor(owner: ContextOwner) {
    this.#owner = owner;
    this.#context = new ActivationContext(owner);
  }

  /** What marks the call under way as one that waits for an ask; 0 when it asked nothing, or others may be handled meanwhile. */
  get callId(): number {
    return this.#context.callId;
  }

  /** When the oldest that is waited for began to be; 0 when none is. */
  get suspendedAt(): number {
    if (this.#contexts === undefined) return this.#context.suspendedAt;
    for (const { suspendedAt } of this.#contexts) if (suspendedAt !== 0) return suspendedAt;
    return 0;
  }

  begin(messages: readonly VolatileMessage[], reentrant: boolean): ActivationContext {
    this.count++;
    let context = this.#context;
    if (reentrant) {
      context = new ActivationContext(this.#owner);
      this.#contexts ??= new Set();
      this.#contexts.add(context);
    }
    context.beginCall(messages);
    return context;
  }

  end(context: ActivationContext): void {
    this.count--;
    context.endCall();
    this.#contexts?.delete(context);
    if (this.count > 0 || this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  /** Resolves when none is under way. */
  over(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  abort(reason: Error): void {
    for (const context of this.#contexts ?? [this.#context]) context.abort(reason);
  }

  /** Somebody has given up waiting for an answer. */
  abandoned(): void {
    for (const context of this.#contexts ?? [this.#context]) context.abandoned();
  }
}

/** When the oldest call under way of any of these began to be waited for; undefined when none is. */
export function suspendedSince(activations: Iterable<{ readonly calls: Calls }>): number | undefined {
  let since: number | undefined;
  for (const { calls } of activations) {
    const { suspendedAt } = calls;
    if (suspendedAt !== 0 && (since === undefined || suspendedAt < since)) since = suspendedAt;
  }
  return since;
}
