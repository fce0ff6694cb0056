/**
 * Asks of a test that could wait for ever: nothing is left to do, and time stands still. They are rejected with what to do
 * about it, instead of a test that ends by its time limit and says nothing.
 */
import type { Ask } from '../kernel/ask.js';

/** An ask waits for time, which only the test moves. */
export class StalledError extends Error {
  override readonly name = 'StalledError';
}

export class StallGuard {
  readonly #ms: number;
  readonly #progress: () => string;
  readonly #asks = new Map<Ask, string>();
  #timer: NodeJS.Timeout | undefined;
  #seen = '';

  /**
   * @param ms of real time; 0 for no guard
   * @param progress returns another text when anything has happened
   */
  constructor(ms: number, progress: () => string) {
    this.#ms = ms;
    this.#progress = progress;
  }

  watch(ask: Ask, name: string): void {
    if (this.#ms === 0) return;
    this.#asks.set(ask, name);
    if (this.#timer === undefined) this.#wait();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#asks.clear();
  }

  #wait(): void {
    this.#seen = this.#progress();
    this.#timer = setTimeout(() => this.#look(), this.#ms);
  }

  #look(): void {
    this.#timer = undefined;
    for (const ask of this.#asks.keys()) if (ask.mode !== 'pending') this.#asks.delete(ask);
    if (this.#asks.size === 0) return;
    if (this.#progress() !== this.#seen) {
      this.#wait();
      return;
    }
    for (const [ask, name] of this.#asks) {
      ask.reject(
        new StalledError(
          `${name} has not replied, and nothing is left to do but to wait for time, which stands still: use system.run(ask), or system.advance(ms) before the await`,
        ),
      );
    }
    this.#asks.clear();
  }
}
