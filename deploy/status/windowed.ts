/** What happened lately, from counts that only grow: rates and percentiles of the last seconds. */
import type { Percentiles } from '../../gateway/api/status-schema.js';
import type { HistogramCounts } from '../../runtime/measure/histogram.js';

/** Samples that percentiles look back over; one a second. */
const WINDOW = 10;

/** The growth of a histogram over the last `WINDOW` samples. */
class WindowedHistogram {
  readonly #samples: Float64Array[] = [];

  /** @returns percentiles of the window, by linear interpolation within a bucket; null when nothing fell into it */
  sample({ bounds, counts }: Pick<HistogramCounts, 'bounds' | 'counts'>): Percentiles {
    const now = Float64Array.from(counts);
    this.#samples.push(now);
    if (this.#samples.length > WINDOW + 1) this.#samples.shift();
    const first = this.#samples[0];
    const growth = Array.from(now, (count, at) => Math.max(0, count - (first?.[at] ?? 0)));
    return percentilesOf(bounds, growth);
  }
}

/** Milliseconds; bounds are seconds. */
function percentilesOf(bounds: readonly number[], counts: readonly number[]): Percentiles {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const at = (share: number) => 1_000 * quantile(bounds, counts, share * total);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** Where the `rank`-th lies. Above the last bound nothing is known, and the bound is said. */
function quantile(bounds: readonly number[], counts: readonly number[], rank: number): number {
  let below = 0;
  let floor = 0;
  for (const [at, count] of counts.entries()) {
    const bound = bounds[at];
    if (bound === undefined) return floor;
    if (below + count >= rank)
      return count === 0 ? floor : floor + ((bound - floor) * (rank - below)) / count;
    below += count;
    floor = bound;
  }
  return floor;
}

/** How fast a count grows. */
class Rate {
  #count: number | undefined;
  #at = 0;

  /** Per second, since the last sample; 0 at the first one. */
  sample(count: number, atMs: number): number {
    const before = this.#count;
    const seconds = (atMs - this.#at) / 1_000;
    this.#count = count;
    this.#at = atMs;
    return before === undefined || seconds <= 0 ? 0 : Math.max(0, count - before) / seconds;
  }
}

export { Rate, WindowedHistogram };
