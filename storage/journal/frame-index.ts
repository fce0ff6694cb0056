/**
 * Where the uncommitted frames of one partition lie in one segment: for each its position and first offset, 8 bytes.
 *
 * Bound: a frame takes at least 72 bytes of the journal, typically (a lone message of 500 bytes) some 580, so all
 * indexes together are about 1.4 % of the uncommitted bytes, 60 MiB at 4 GiB; less under load, when frames hold more.
 */
import type { Segment } from './segment.js';

const ENTRIES_MIN = 8;

/** Bytes of all indexes of a journal. */
export interface IndexAccount {
  bytes: number;
}

export class FrameIndex {
  readonly segment: Segment;
  /** Offset after the last frame. */
  end: number;
  readonly #account: IndexAccount;
  /** Offset of the first frame ever; entries hold the distance to it. */
  #base: number;
  /** Pairs of position and offset - base. */
  #entries = new Uint32Array(0);
  #head = 0;
  #tail = 0;

  constructor(segment: Segment, base: number, account: IndexAccount) {
    this.segment = segment;
    this.end = base;
    this.#base = base;
    this.#account = account;
  }

  get length(): number {
    return this.#tail - this.#head;
  }

  push(position: number, offset: number, count: number): void {
    if (this.#head === this.#tail) {
      this.#head = 0;
      this.#tail = 0;
      this.#base = offset;
    }
    if (2 * this.#tail === this.#entries.length) this.#grow();
    this.#entries[2 * this.#tail] = position;
    this.#entries[2 * this.#tail + 1] = offset - this.#base;
    this.#tail++;
    this.end = offset + count;
  }

  /** Forgets the frames that lie wholly below `committed`. */
  trim(committed: number): void {
    if (committed >= this.end) {
      this.#head = this.#tail;
      return;
    }
    while (this.#head + 1 < this.#tail && this.offset(this.#head + 1) <= committed) this.#head++;
  }

  /** The entry of the frame that holds `offset`, which must be at least the first frame's and below `end`. */
  find(offset: number): number {
    let low = this.#head;
    let high = this.#tail - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.offset(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Whether `entry` is one, after `find` and counting up. */
  has(entry: number): boolean {
    return entry >= this.#head && entry < this.#tail;
  }

  first(): number {
    return this.offset(this.#head);
  }

  offset(entry: number): number {
    return this.#base + (this.#entries[2 * entry + 1] ?? 0);
  }

  position(entry: number): number {
    return this.#entries[2 * entry] ?? 0;
  }

  /** Gives its memory back to the account; the index is not used after. */
  drop(): void {
    this.#account.bytes -= this.#entries.byteLength;
    this.#entries = new Uint32Array(0);
    this.#head = 0;
    this.#tail = 0;
  }

  #grow(): void {
    const live = this.#entries.subarray(2 * this.#head, 2 * this.#tail);
    // Committed entries at the front are dropped here, so a reader that keeps up never makes the index grow.
    const capacity = Math.max(2 * ENTRIES_MIN, 2 * live.length);
    const entries = new Uint32Array(capacity);
    entries.set(live);
    this.#account.bytes += entries.byteLength - this.#entries.byteLength;
    this.#entries = entries;
    this.#tail -= this.#head;
    this.#head = 0;
  }
}
