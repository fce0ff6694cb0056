/**
 * A histogram of durations with fixed buckets. To observe is to add to a typed array: nothing is allocated.
 *
 * One in a worker thread is emptied once a second (`take`), and what it held is added to one in the main thread (`add`): numbers cross,
 * never observations.
 */

/** As Prometheus has it, but that counts are not cumulative. */
export interface HistogramCounts {
  /** Upper bounds in seconds, ascending; a bucket holds what is at most its bound. */
  readonly bounds: readonly number[];
  /** One more than bounds: the last is what is above them all. */
  readonly counts: readonly number[];
  /** Seconds. */
  readonly sum: number;
}

/** What a histogram was given since the last time. */
export interface HistogramDelta {
  /** Bucket, count; again and again. Those without any are left out. */
  readonly buckets: readonly number[];
  /** Seconds. */
  readonly sum: number;
}

/** Of what takes from a tenth of a millisecond to minutes: in the thread, and from the acceptance of a message. */
export const DURATION_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2.5, 5, 10, 30,
  60, 300,
];

export class Histogram {
  readonly bounds: readonly number[];
  readonly #boundsMs: Float64Array;
  readonly #counts: Float64Array;
  #sumMs = 0;
  /** Of many messages in a row the time is the same, to the millisecond. */
  #lastMs = Number.NaN;
  #lastBucket = 0;

  /** @param bounds in seconds, ascending */
  constructor(bounds: readonly number[] = DURATION_BOUNDS) {
    this.bounds = bounds;
    this.#boundsMs = Float64Array.from(bounds, (bound) => bound * 1_000);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /**
   * @param ms what is below 0, by a clock that was set back say, counts as 0; what is no number is left out
   * @param weight how many there were of it
   * @returns the bucket
   */
  observe(ms: number, weight = 1): number {
    if (Number.isNaN(ms)) return -1;
    if (ms !== this.#lastMs) {
      this.#lastMs = ms;
      this.#lastBucket = this.#bucketOf(ms);
    }
    const bucket = this.#lastBucket;
    this.#counts[bucket] = (this.#counts[bucket] as number) + weight;
    if (ms > 0) this.#sumMs += ms * weight;
    return bucket;
  }

  #bucketOf(ms: number): number {
    const bounds = this.#boundsMs;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ms > (bounds[middle] as number)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What is in it, and empties it; undefined when nothing is. */
  take(): HistogramDelta | undefined {
    const buckets: number[] = [];
    for (const [bucket, count] of this.#counts.entries()) if (count > 0) buckets.push(bucket, count);
    if (buckets.length === 0) return undefined;
    const sum = this.#sumMs / 1_000;
    this.reset();
    return { buckets, sum };
  }

  /** What another one with the same bounds was given. */
  add(delta: HistogramDelta | undefined): void {
    if (delta === undefined) return;
    const { buckets, sum } = delta;
    for (let at = 0; at < buckets.length; at += 2) {
      const bucket = buckets[at] as number;
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (buckets[at + 1] as number);
    }
    this.#sumMs += sum * 1_000;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#sumMs = 0;
  }

  /** As it is now. */
  counts(): HistogramCounts {
    return { bounds: this.bounds, counts: Array.from(this.#counts), sum: this.#sumMs / 1_000 };
  }
}
