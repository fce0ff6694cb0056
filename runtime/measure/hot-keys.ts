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

/** Keys in the sketch: some more than are told, so that the last of those are right. */
const KEYS_MAX = 64;
/** What is left of a count after a second. */
const FADE_PER_SECOND = 0.9;
/** A count below is forgotten. */
const COUNT_MIN = 0.05;

export class HotKeys {
  /** Where the counts of a key stand. Where all keys are new, the least is looked for each time: a walk over numbers in one row, with nothing made. */
  readonly #places = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #counts = new Float64Array(KEYS_MAX);
  /** How much of each count may be another key's. */
  readonly #errors = new Float64Array(KEYS_MAX);

  add(key: string, count: number): void {
    const place = this.#places.get(key);
    if (place !== undefined) this.#counts[place] = (this.#counts[place] as number) + count;
    else if (this.#keys.length < KEYS_MAX) this.#put(this.#keys.length, key, count, 0);
    else this.#replaceLeast(key, count);
  }

  #put(place: number, key: string, count: number, error: number): void {
    this.#places.set(key, place);
    this.#keys[place] = key;
    this.#counts[place] = count;
    this.#errors[place] = error;
  }

  #replaceLeast(key: string, added: number): void {
    const counts = this.#counts;
    let least = 0;
    let count = counts[0] as number;
    for (let place = 1; place < KEYS_MAX; place++) {
      const candidate = counts[place] as number;
      if (candidate >= count) continue;
      least = place;
      count = candidate;
    }
    this.#places.delete(this.#keys[least] as string);
    this.#put(least, key, count + added, count);
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
    const kept = this.#keys.splice(0);
    this.#places.clear();
    for (const [place, key] of kept.entries()) {
      const count = this.#counts[place] as number;
      const error = this.#errors[place] as number;
      const perSecond = (count - error) * share;
      if (perSecond > 0) hottest.push({ key, perSecond });
      if (count * fade >= COUNT_MIN) this.#put(this.#keys.length, key, count * fade, error * fade);
    }
    return hottest.sort((a, b) => b.perSecond - a.perSecond).slice(0, max);
  }
}
