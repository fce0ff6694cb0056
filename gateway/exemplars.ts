/**
 * For each bucket of a histogram the latest message in it that was traced, so that whoever sees a slow one finds its trace. As OpenMetrics
 * has it: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md#exemplars
 */
import { parseTraceparent } from '../runtime/traceparent.js';

export interface Exemplar {
  readonly labelSet: { readonly trace_id: string };
  /** Seconds. */
  readonly value: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

const SAMPLED = 1;
/** Where the last digit of a `traceparent` stands, which says whether it is sampled. */
const SAMPLED_AT = 54;
const ODD_DIGITS = '13579bdf';

export class Exemplars {
  readonly #byBucket: (Exemplar | undefined)[];
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(buckets: number, now: () => number = Date.now) {
    this.#byBucket = Array.from({ length: buckets }, () => undefined);
    this.#now = now;
  }

  /** One that is not sampled has no trace that anybody could look at. @param traceparent may be empty, and anything */
  note(bucket: number, ms: number, traceparent: string): void {
    // Most are not, and need not be parsed for it.
    if (!ODD_DIGITS.includes(traceparent.charAt(SAMPLED_AT))) return;
    const position = parseTraceparent(traceparent);
    if (position === undefined || (position.traceFlags & SAMPLED) === 0 || bucket < 0) return;
    this.#byBucket[bucket] = {
      labelSet: { trace_id: position.traceId },
      value: ms / 1_000,
      timestamp: this.#now() / 1_000,
    };
  }

  get byBucket(): readonly (Exemplar | undefined)[] {
    return this.#byBucket;
  }
}
