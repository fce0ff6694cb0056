/**
 * How long messages wait in a thread before an actor begins with them. Messages are not stamped: one at a time is followed, and
 * a runnable in the run queue, which says how long all of them wait.
 */
import type { Clock } from '../clock.js';
import type { Entry } from './entry.js';
import type { Scheduler } from './scheduler.js';

export class QueueDelay {
  readonly #clock: Clock;
  #followed: Entry | undefined;
  #since = 0;
  #probedAt = 0;
  #longest = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It arrived now; it is followed if no other is. */
  arrived(entry: Entry): void {
    if (this.#followed !== undefined) return;
    this.#followed = entry;
    this.#since = this.#clock.now();
  }

  /** Somebody begins with these. */
  began(batch: readonly Entry[]): void {
    if (this.#followed === undefined || !batch.includes(this.#followed)) return;
    this.#longest = Math.max(this.#longest, this.#clock.now() - this.#since);
    this.#followed = undefined;
  }

  /** Puts a probe in the run queue, one at a time. */
  probe(scheduler: Scheduler): void {
    if (this.#probedAt > 0) return;
    this.#probedAt = this.#clock.now();
    scheduler.schedule({
      run: () => {
        this.#longest = Math.max(this.#longest, this.#clock.now() - this.#probedAt);
        this.#probedAt = 0;
      },
    });
  }

  /** The longest delay since the last call, milliseconds; what still waits counts with its age so far. */
  sample(): number {
    const now = this.#clock.now();
    const waits = [
      this.#followed === undefined ? 0 : now - this.#since,
      this.#probedAt > 0 ? now - this.#probedAt : 0,
    ];
    const longest = Math.max(this.#longest, ...waits);
    this.#longest = 0;
    return longest;
  }
}
