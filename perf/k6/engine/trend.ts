/**
 * The values of a Trend. Up to `EXACT_MAX` of them are kept one by one, and a percentile is interpolated between the two next to it; beyond
 * that, which a long soak reaches, they are counted in buckets whose width is under 0.1 % of their value, so that memory has a bound.
 *
 * Percentile p of n sorted values is the one at p/100 * (n - 1), linear between neighbours (method 7 of Hyndman and Fan 1996, "Sample Quantiles in
 * Statistical Packages"), as k6 has long had it; newer versions of it count in buckets from the first value.
 */
const EXACT_MAX = 1_000_000;
/** Of a factor of two. */
const BUCKETS = 1_024;

export class Trend {
  readonly #exactMax: number;
  #values = new Float64Array(1_024);
  #sorted = false;
  /** Once there are too many values: bucket to count. */
  #buckets: Map<number, number> | undefined;
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  constructor(exactMax: number = EXACT_MAX) {
    this.#exactMax = exactMax;
  }

  get count(): number {
    return this.#count;
  }

  /** 0 while there is no value, as are the others. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  get max(): number {
    return this.#count === 0 ? 0 : this.#max;
  }

  get avg(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  add(value: number): void {
    if (this.#count === this.#exactMax && this.#buckets === undefined) this.#toBuckets();
    if (this.#buckets !== undefined) count(this.#buckets, value);
    else {
      if (this.#count === this.#values.length) this.#grow();
      this.#values[this.#count] = value;
      this.#sorted = false;
    }
    this.#count += 1;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** @param percent 0 to 100 */
  percentile(percent: number): number {
    if (this.#count === 0) return 0;
    const place = (Math.min(100, Math.max(0, percent)) / 100) * (this.#count - 1);
    const below = Math.floor(place);
    const [low, high] = this.#at(below, Math.ceil(place));
    return low + (high - low) * (place - below);
  }

  #at(first: number, second: number): readonly [number, number] {
    if (this.#buckets !== undefined)
      return [this.#inBuckets(this.#buckets, first), this.#inBuckets(this.#buckets, second)];
    if (!this.#sorted) {
      this.#values.subarray(0, this.#count).sort();
      this.#sorted = true;
    }
    return [this.#values[first] ?? Number.NaN, this.#values[second] ?? Number.NaN];
  }

  #inBuckets(buckets: ReadonlyMap<number, number>, place: number): number {
    let seen = 0;
    for (const bucket of [...buckets.keys()].sort((a, b) => a - b)) {
      seen += buckets.get(bucket) ?? 0;
      if (seen > place) return Math.min(this.#max, Math.max(this.#min, middleOf(bucket)));
    }
    return this.#max;
  }

  #grow(): void {
    const larger = new Float64Array(Math.min(this.#exactMax, this.#values.length * 2));
    larger.set(this.#values);
    this.#values = larger;
  }

  #toBuckets(): void {
    this.#buckets = new Map();
    for (const value of this.#values.subarray(0, this.#count)) count(this.#buckets, value);
    this.#values = new Float64Array(0);
  }
}

function count(buckets: Map<number, number>, value: number): void {
  const bucket = bucketOf(value);
  buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
}

/** Between powers of two, linear. Times and sizes are not negative: what is, falls in one bucket with zero. */
function bucketOf(value: number): number {
  if (!(value > 0)) return Number.NEGATIVE_INFINITY;
  const exponent = Math.floor(Math.log2(value));
  return exponent * BUCKETS + Math.floor((value / 2 ** exponent - 1) * BUCKETS);
}

function middleOf(bucket: number): number {
  if (bucket === Number.NEGATIVE_INFINITY) return 0;
  const exponent = Math.floor(bucket / BUCKETS);
  return 2 ** exponent * (1 + (bucket - exponent * BUCKETS + 0.5) / BUCKETS);
}
