/**
 * How many events may go now, so that no more than `rate` of them go in a second: credit that grows with time and is spent.
 *
 * What was not spent is kept for `SAVED_MS_MAX`: a replay that was held up does not make up for it in a burst. The first look has the credit of
 * a second.
 */

const SAVED_MS_MAX = 2_000;
const FIRST_MS = 1_000;

export class Pace {
  #credit = 0;
  #lookedAt: number | undefined;

  /** @returns the time that counts as worked since the look before, milliseconds */
  look(nowMs: number, rate: number): number {
    const sinceMs =
      this.#lookedAt === undefined ? FIRST_MS : Math.min(Math.max(nowMs - this.#lookedAt, 0), SAVED_MS_MAX);
    const workedMs = this.#lookedAt === undefined ? 0 : sinceMs;
    this.#lookedAt = nowMs;
    this.#credit = Math.min(this.#credit + (rate * sinceMs) / 1_000, (rate * SAVED_MS_MAX) / 1_000);
    return workedMs;
  }

  /** Events that may go. */
  get credit(): number {
    return Math.floor(this.#credit);
  }

  spend(events: number): void {
    this.#credit -= events;
  }
}
