/**
 * A rate that threads share: a token bucket kept as one number, the time at which it will be full again (GCRA, ITU-T I.371). One
 * word that is changed by compare and exchange: a thread that ends at any moment leaves it whole.
 */
const NS_PER_MS = 1_000_000n;

export class SharedRate {
  readonly #fullAt: BigInt64Array;
  readonly #stepNs: bigint;
  readonly #burstNs: bigint;
  /** More than that ahead only when the clock was set back. */
  readonly #aheadNsMax: bigint;

  /** @param fullAt one element, shared, nanoseconds since the epoch, 0 at first */
  constructor(
    fullAt: BigInt64Array,
    { ratePerSecond, burst }: { readonly ratePerSecond: number; readonly burst: number },
    threads: number,
  ) {
    this.#fullAt = fullAt;
    this.#stepNs = BigInt(Math.ceil(1e9 / ratePerSecond));
    this.#burstNs = this.#stepNs * BigInt(burst);
    this.#aheadNsMax = this.#burstNs + this.#stepNs * BigInt(threads);
  }

  /** Takes up to `wanted` tokens; returns how many there were. */
  take(wanted: number, nowMs: number): number {
    let taken = 0;
    this.#change(nowMs, (base, now) => {
      const free = (now + this.#burstNs - base) / this.#stepNs;
      taken = free <= 0n ? 0 : Math.min(wanted, Number(free));
      return base + this.#stepNs * BigInt(taken);
    });
    return taken;
  }

  /**
   * Books the next token that nobody has booked; returns when it is there, milliseconds. So threads that wait are served in the order
   * of their booking; if all tried again when there is a token, the one with the earliest timer would win each time. Each thread has
   * one booking at most.
   */
  book(nowMs: number): number {
    let at = 0n;
    this.#change(nowMs, (base) => {
      at = base + this.#stepNs - this.#burstNs;
      return base + this.#stepNs;
    });
    return Number((at + NS_PER_MS - 1n) / NS_PER_MS);
  }

  /**
   * Uses what was booked. Who comes late for it does not save up: the bucket is not full now. When several come late at once, as many
   * messages as threads but one may be handed out above the rate.
   */
  useBooked(nowMs: number): void {
    this.#change(nowMs, (base, now) => {
      const least = now + this.#stepNs;
      if (base < least) return least;
      return base;
    });
  }

  /** After so many milliseconds without a message it is full. */
  get longestWaitMs(): number {
    return Number(this.#aheadNsMax / NS_PER_MS) + 1;
  }

  #change(nowMs: number, next: (base: bigint, now: bigint) => bigint): void {
    const now = BigInt(Math.floor(nowMs)) * NS_PER_MS;
    for (;;) {
      const before = Atomics.load(this.#fullAt, 0);
      let base = before > now ? before : now;
      if (base > now + this.#aheadNsMax) base = now + this.#burstNs;
      const after = next(base, now);
      // One of all that try succeeds.
      if (Atomics.compareExchange(this.#fullAt, 0, before, after) === before) return;
    }
  }
}
