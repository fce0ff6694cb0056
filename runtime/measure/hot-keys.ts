/**
 * Which keys get the most messages, without counting all: the space-saving sketch of Metwally, Agrawal and El Abbadi (2005). It holds a
 * fixed number of keys. A key that is not among them takes the place, and the count, of the one with the least; so a count is too high
 * by at most what was taken over, which is noted, and a key that gets more than its share of all messages is never missing.
 *
 * Counts fade, so that what is told is the rate of about the last ten seconds.
 */

export interface HotKey {
  readonly key: string;
  /** Messages a second: at least so many, but for sampling. */
  readonly perSecond: number;
}

interface Counter {
  count: number;
  /** How much of the count may be another key's. */
  error: number;
}

/** Keys in the sketch: some more than are told, so that the last of those are right. */
const KEYS_MAX = 64;
/** What is left of a count after a second. */
const FADE_PER_SECOND = 0.9;
/** A count below is forgotten. */
const COUNT_MIN = 0.05;

export class HotKeys {
  readonly #counters = new Map<string, Counter>();

  add(key: string, count: number): void {
    const counter = this.#counters.get(key);
    if (counter !== undefined) counter.count += count;
    else if (this.#counters.size < KEYS_MAX) this.#counters.set(key, { count, error: 0 });
    else this.#replaceLeast(key, count);
  }

  #replaceLeast(key: string, added: number): void {
    let least: string | undefined;
    let count = Number.POSITIVE_INFINITY;
    for (const [candidate, counter] of this.#counters) {
      if (counter.count >= count) continue;
      least = candidate;
      count = counter.count;
    }
    if (least === undefined) return;
    this.#counters.delete(least);
    this.#counters.set(key, { count: count + added, error: count });
  }

  /**
   * The hottest, at most `max`, hottest first; then counts fade.
   * @param ms since the last call
   */
  take(max: number, ms: number): HotKey[] {
    const seconds = Math.max(ms, 1) / 1_000;
    const fade = FADE_PER_SECOND ** seconds;
    // Of a steady rate r, a count comes to r * seconds / (1 - fade).
    const share = (1 - fade) / seconds;
    const hottest: HotKey[] = [];
    for (const [key, counter] of this.#counters) {
      const perSecond = (counter.count - counter.error) * share;
      if (perSecond > 0) hottest.push({ key, perSecond });
      counter.count *= fade;
      counter.error *= fade;
      if (counter.count < COUNT_MIN) this.#counters.delete(key);
    }
    return hottest.sort((a, b) => b.perSecond - a.perSecond).slice(0, max);
  }
}
