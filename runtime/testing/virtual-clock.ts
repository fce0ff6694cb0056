/**
 * Time for tests: it stands still until somebody rings the next alarm, one at a time, so that what an alarm sets off can be
 * handled before the next one rings.
 */
import type { Clock } from '../clock.js';

interface Alarm {
  readonly at: number;
  readonly action: () => void;
}

export class VirtualClock implements Clock {
  #now: number;
  /** By time; of one time, in the order in which they were set. */
  readonly #alarms: Alarm[] = [];
  readonly #choose: (length: number) => number;

  /** @param choose which of `length` alarms of one time rings first */
  constructor(now: number, choose: (length: number) => number) {
    this.#now = now;
    this.#choose = choose;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): () => void {
    // Whole milliseconds, as those of a real clock: ids are made of them.
    const alarm = { at: this.#now + Math.ceil(ms), action };
    this.#alarms.splice(this.#endOf(alarm.at), 0, alarm);
    return () => {
      const at = this.#alarms.indexOf(alarm);
      if (at >= 0) this.#alarms.splice(at, 1);
    };
  }

  /** When the next alarm rings; undefined when none is set. */
  get nextAt(): number | undefined {
    return this.#alarms[0]?.at;
  }

  /** Moves to the next alarm, and rings it. */
  ring(): void {
    const at = this.nextAt;
    if (at === undefined) return;
    this.#now = Math.max(this.#now, at);
    const [alarm] = this.#alarms.splice(this.#choose(this.#endOf(at)), 1);
    alarm?.action();
  }

  /** Moves to `at`, before which no alarm is set. */
  moveTo(at: number): void {
    this.#now = Math.max(this.#now, at);
  }

  /** The index after the alarms of `time` and before. */
  #endOf(time: number): number {
    let low = 0;
    let high = this.#alarms.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#alarms[middle] as Alarm).at <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
