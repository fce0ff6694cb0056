/**
 * Which offsets of a partition are done, when they finish out of order.
 *
 * `low` is the contiguous watermark: everything below it is done, so it may be committed to the log. Above it stand
 * disjoint, sorted, non-touching ranges of finished offsets. Each gap between them holds at least one message that is in
 * flight or held, so there are at most as many ranges as the dispatcher has credits: bounded without a limit of its own.
 */
export class Watermark {
  #low: number;
  /** Starts and ends (exclusive) of the finished ranges above `low`, ascending. */
  #starts: number[] = [];
  #ends: number[] = [];

  constructor(low: number) {
    this.#low = low;
  }

  get low(): number {
    return this.#low;
  }

  /** How many finished ranges wait above `low`. */
  get ranges(): number {
    return this.#starts.length;
  }

  /** Whether `offset` is done. */
  has(offset: number): boolean {
    if (offset < this.#low) return true;
    const at = this.#firstEndingAfter(offset);
    return at < this.#starts.length && (this.#starts[at] as number) <= offset;
  }

  /** Marks `from` to `to` (exclusive) as done; what was done already may be marked again. Returns whether `low` moved. */
  complete(from: number, to: number): boolean {
    if (to <= from) throw new RangeError(`an empty range: ${from} to ${to}`);
    if (to <= this.#low) return false;
    if (from <= this.#low) {
      this.#low = to;
      this.#absorb();
      return true;
    }
    this.#insert(from, to);
    return false;
  }

  /** Moves `low` over the ranges that it has reached. */
  #absorb(): void {
    let absorbed = 0;
    while (absorbed < this.#starts.length && (this.#starts[absorbed] as number) <= this.#low) {
      this.#low = Math.max(this.#low, this.#ends[absorbed] as number);
      absorbed++;
    }
    if (absorbed > 0) {
      this.#starts.splice(0, absorbed);
      this.#ends.splice(0, absorbed);
    }
  }

  #insert(from: number, to: number): void {
    // Ranges that touch or overlap [from, to) stand from `first` to before `last`; they become one.
    const first = this.#firstEndingAfter(from - 1);
    let last = first;
    while (last < this.#starts.length && (this.#starts[last] as number) <= to) last++;
    const start = last > first ? Math.min(from, this.#starts[first] as number) : from;
    const end = last > first ? Math.max(to, this.#ends[last - 1] as number) : to;
    this.#starts.splice(first, last - first, start);
    this.#ends.splice(first, last - first, end);
  }

  /** Index of the first range whose end is above `offset`. */
  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] as number) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
