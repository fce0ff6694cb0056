/**
 * How much of an actor type's limits is this node's, where nodes share them; changed by the main thread while threads take permits and
 * tokens.
 *
 * Permits that are not this node's are taken by the main thread, as a thread takes them: threads are none the wiser and take theirs at the
 * price that they always have. A share that is lowered so waits in its turn for permits to come back; until then they count as this node's.
 * Nothing is this node's at first, and nothing after the end of its lease: threads look at that for themselves, so that a node that wakes
 * from a pause, or whose main thread stands still, begins nothing.
 */
import type { LimitWords } from './limit-words.js';
import type { SharedLimits, ThreadLimits } from './shared-limits.js';

export interface ShareUse {
  /** Of permits: those in use, or tokens taken since the last look. */
  readonly used: number;
  /** Whether a thread had to wait since the last look, or does. */
  readonly lacked: boolean;
}

/** The lease of a node that has none. */
const ENDED = 1n;
const NS_PER_MS = 1e6;

export class NodeShare {
  /** Called when the last permit of a share that was lowered has come back. */
  onLowered = () => {};
  readonly #shared: SharedLimits;
  readonly #words: LimitWords;
  readonly #main: ThreadLimits;
  readonly #permits: number;
  #withheld = 0;
  #toWithhold = 0;

  /** Before the first thread attaches itself. The last of the numbers of `shared` is the main thread's. */
  constructor(shared: SharedLimits) {
    this.#shared = shared;
    this.#words = shared.words;
    this.#permits = this.#words.permits.length;
    Atomics.store(this.#words.lease, 0, ENDED);
    this.#main = shared.attach(shared.threads - 1);
    this.#main.onWake = () => this.#withhold();
    this.setPermits(0);
    this.#main.rate?.lower(0, 0);
  }

  /** Permits that threads have or may take. */
  get permits(): number {
    return this.#permits - this.#withheld;
  }

  /** More are there at once, fewer when they have come back. */
  setPermits(permits: number): void {
    this.#toWithhold = this.#permits - Math.min(permits, this.#permits);
    while (this.#withheld > this.#toWithhold) {
      this.#withheld--;
      this.#main.release();
    }
    this.#withhold();
  }

  /** Units of the rate (`shared-rate.ts`). */
  get units(): number {
    return this.#main.rate?.units ?? 0;
  }

  /** In which an empty unit fills, milliseconds. */
  get fillMs(): number {
    return this.#main.rate?.fillMs ?? 0;
  }

  /**
   * @param tokens that come with what is more
   * @returns those that go with what is less
   */
  setUnits(units: number, tokens: number, nowMs: number): number {
    const { rate } = this.#main;
    if (rate === undefined) return 0;
    if (units < rate.units) return rate.lower(units, nowMs);
    if (units > rate.units) rate.raise(units, tokens, nowMs);
    return 0;
  }

  /** What it has counts for so long from now. */
  prolong(ms: number): void {
    Atomics.store(this.#words.lease, 0, process.hrtime.bigint() + BigInt(Math.floor(ms * NS_PER_MS)));
  }

  /** What it has counts no more. */
  end(): void {
    Atomics.store(this.#words.lease, 0, ENDED);
  }

  usePermits(): ShareUse {
    const { lacksPermit, waits } = this.#words;
    const lacked = Atomics.exchange(lacksPermit, 0, 0) === 1;
    const isWaitedFor = waits.some(
      (_, thread) => thread < waits.length - 1 && Atomics.load(waits, thread) === 1,
    );
    return { used: this.#shared.inUse - this.#withheld, lacked: lacked || isWaitedFor };
  }

  useTokens(): ShareUse {
    const { lacksToken, taken, booked } = this.#words;
    const lacked = Atomics.exchange(lacksToken, 0, 0) === 1;
    const isBooked = booked.some((_, thread) => Atomics.load(booked, thread) !== 0);
    return { used: Atomics.exchange(taken, 0, 0), lacked: lacked || isBooked };
  }

  #withhold(): void {
    const before = this.#withheld;
    while (this.#withheld < this.#toWithhold && this.#main.take()) this.#withheld++;
    while (this.#withheld < this.#toWithhold && this.#main.takeOrWait()) this.#withheld++;
    if (this.#withheld < this.#toWithhold) return;
    // One that is on its way is not wanted any more.
    this.#main.waitNoLonger();
    this.#main.passOn();
    if (this.#withheld > before) this.onLowered();
  }
}
