/**
 * Activations that wait for one limit, in the order of their coming. The first is called when there is room, and stays the first until
 * it has asked again, so that nobody overtakes it.
 */
import type { Clock } from '../clock.js';
import type { Limited } from './limiter.js';

export class LimitQueue {
  readonly #clock: Clock;
  /** Whether the first may begin; else, milliseconds until it is worth another look, or Infinity when it will be told. */
  readonly #waitMs: () => number;
  readonly #waiting = new Set<Limited>();
  #called: Limited | undefined;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, waitMs: () => number) {
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Whether nobody is before it. */
  isNext(activation: Limited): boolean {
    return this.#waiting.size === 0 || this.#first() === activation;
  }

  /** It waits from now on, if it does not yet. */
  enter(activation: Limited): void {
    this.#waiting.add(activation);
    if (this.#called === activation) this.#called = undefined;
    // Later: it does not know yet that it waits.
    if (this.#first() === activation) queueMicrotask(() => this.call());
  }

  /** It is the first here, and waits for another limit: that one calls it. */
  hold(activation: Limited): void {
    this.#waiting.add(activation);
    this.#called = activation;
  }

  /** It is admitted, or waits no longer. Whether it waited. */
  leave(activation: Limited): boolean {
    if (!this.#waiting.delete(activation)) return false;
    if (this.#called === activation) this.#called = undefined;
    this.call();
    return true;
  }

  /** There may be room: calls the first, once. */
  call(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const first = this.#first();
    if (first === undefined || first === this.#called) return;
    const waitMs = this.#waitMs();
    if (waitMs <= 0) {
      this.#called = first;
      first.resume();
    } else if (waitMs !== Number.POSITIVE_INFINITY) {
      this.#cancel = this.#clock.after(Math.ceil(waitMs), () => this.call());
    }
  }

  #first(): Limited | undefined {
    for (const activation of this.#waiting) return activation;
    return undefined;
  }
}
