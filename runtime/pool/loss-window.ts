/**
 * Whether threads are lost so often that somebody should look: `lossesMax` times within `withinMs` makes a pool unstable, until
 * `withinMs` pass without a loss. Restarts go on meanwhile, each with its backoff.
 */
export interface LossLimit {
  readonly lossesMax: number;
  readonly withinMs: number;
}

export const DEFAULT_LOSS_LIMIT: LossLimit = { lossesMax: 10, withinMs: 60_000 };

export class LossWindow {
  readonly #limit: LossLimit;
  /** Times of the last losses, at most `lossesMax`. */
  #times: number[] = [];
  #reached = false;

  constructor(limit: LossLimit) {
    this.#limit = limit;
  }

  /** A thread was lost. Returns whether that makes the pool unstable that was not before. */
  lost(now: number): boolean {
    const before = this.unstable(now);
    const { lossesMax, withinMs } = this.#limit;
    this.#times = [...this.#times.filter((time) => now - time < withinMs), now].slice(-lossesMax);
    this.#reached = before || this.#times.length >= lossesMax;
    return this.#reached && !before;
  }

  unstable(now: number): boolean {
    const last = this.#times.at(-1);
    return this.#reached && last !== undefined && now - last < this.#limit.withinMs;
  }
}
