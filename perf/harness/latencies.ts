/**
 * Latencies in a histogram of high dynamic range (Node's own, HdrHistogram in C): three significant figures from 1 us to a minute, in the same
 * memory however many there are.
 */
import { createHistogram } from 'node:perf_hooks';

/** Percentiles that are told of, in per cent. */
export const PERCENTILES = [50, 75, 90, 95, 99, 99.9, 99.99, 100] as const;

export interface LatencySummary {
  readonly count: number;
  /** Milliseconds; beside each of `PERCENTILES`. */
  readonly percentilesMs: readonly number[];
  readonly meanMs: number;
}

const MINUTE_US = 60_000_000;

export class Latencies {
  readonly #histogram = createHistogram({ lowest: 1, highest: MINUTE_US, figures: 3 });

  /** Of less than a microsecond as of one; of more than a minute as of one minute. */
  record(ms: number): void {
    this.#histogram.record(Math.min(MINUTE_US, Math.max(1, Math.round(ms * 1_000))));
  }

  get count(): number {
    return this.#histogram.count;
  }

  reset(): void {
    this.#histogram.reset();
  }

  summary(): LatencySummary {
    return {
      count: this.#histogram.count,
      percentilesMs: PERCENTILES.map((share) => this.#histogram.percentile(share) / 1_000),
      meanMs: this.#histogram.mean / 1_000,
    };
  }
}

export function percentileMs(
  { percentilesMs }: LatencySummary,
  percentile: (typeof PERCENTILES)[number],
): number {
  return percentilesMs[PERCENTILES.indexOf(percentile)] ?? Number.NaN;
}
