/**
 * The limits of an actor type, for all threads of a node: permits for calls of `receive`, and a rate. They are words in shared
 * memory (`limit-words.ts`), so that taking a permit costs no message.
 *
 * It promises:
 * - never more permits out than there are, and none is lost when a thread ends: a permit is one word with the name of its holder, and
 *   `giveBack` frees those of a thread. (A count of permits in use beside a count for each thread was rejected: a thread that ends
 *   between the two changes leaves them apart for ever. A look through 1,000 words takes about a microsecond, and only when most
 *   are taken.)
 * - threads that wait take turns: a permit that comes back is handed to the next of them, one for each time it said it waits, so
 *   that a thread that is blocked keeps one permit idle at most
 */
import type { FilledLimits } from '../limits.js';
import { type LimitWords, limitWords } from './limit-words.js';
import { THREADS_MAX } from './pool-size.js';
import { SharedRate } from './shared-rate.js';

/** A wait is woken; should the thread that was to wake it have ended at the wrong moment, it looks again after this. */
const LOOK_MS = 1_000;
/** Threads of a pool, and the main thread (`node-share.ts`). */
export const TAKERS_MAX = THREADS_MAX + 1;

export class SharedLimits {
  readonly limits: FilledLimits;
  readonly threads: number;
  readonly #words: LimitWords;

  /**
   * In the main thread, without a buffer; in a thread, with that of the main thread.
   * @param threads the most threads at a time; they are numbered from 0
   */
  constructor(limits: FilledLimits, threads: number, buffer?: SharedArrayBuffer) {
    this.limits = limits;
    this.threads = threads;
    this.#words = limitWords(limits, threads, buffer);
  }

  get buffer(): SharedArrayBuffer {
    return this.#words.buffer;
  }

  /** What thread `thread` takes permits by. A permit that was handed to an earlier one of that number goes on. */
  attach(thread: number): ThreadLimits {
    if (!(Number.isInteger(thread) && thread >= 0 && thread < this.threads)) {
      throw new RangeError(`thread ${thread} is not from 0 to ${this.threads - 1}`);
    }
    const rate = Number.isFinite(this.limits.ratePerSecond)
      ? new SharedRate(this.#words, this.limits, thread)
      : undefined;
    this.#attach(thread);
    const attached = new ThreadLimits(thread, rate, this.#words);
    attached.passOn();
    return attached;
  }

  /** The last is looked at in any case. */
  #attach(thread: number): void {
    const { attached } = this.#words;
    if (thread === this.threads - 1) return;
    for (;;) {
      const before = Atomics.load(attached, 0);
      if (before > thread || Atomics.compareExchange(attached, 0, before, thread + 1) === before) return;
    }
  }

  /** Frees what a thread held that has ended. Before another with its number begins. */
  giveBack(thread: number): void {
    const { waits, booked, permits } = this.#words;
    Atomics.store(waits, thread, 0);
    Atomics.store(booked, thread, 0);
    const ended = new ThreadLimits(thread, undefined, this.#words);
    for (let at = 0; at < permits.length; at++) {
      if (Math.abs(Atomics.load(permits, at)) === thread + 1) ended.give(at);
    }
  }

  /** Permits that somebody has. */
  get inUse(): number {
    const { permits } = this.#words;
    return permits.reduce((sum, _, at) => (Atomics.load(permits, at) === 0 ? sum : sum + 1), 0);
  }

  /** For who changes how much of them is this node's. */
  get words(): LimitWords {
    return this.#words;
  }
}

/** The shared limits, as one thread takes from them. */
export class ThreadLimits {
  readonly rate: SharedRate | undefined;
  onWake = () => this.passOn();
  #listens = false;
  readonly #thread: number;
  readonly #waits: Int32Array;
  readonly #wakes: Int32Array;
  readonly #permits: Int32Array;
  readonly #words: LimitWords;
  /** Whether only a share of the limits is this node's, which ends when it is not renewed. */
  readonly isLeased: boolean;
  /** Permits that this thread has taken. */
  readonly #held: number[] = [];
  /** Where the next look begins. */
  #at: number;

  constructor(thread: number, rate: SharedRate | undefined, words: LimitWords) {
    this.#thread = thread;
    this.rate = rate;
    this.#words = words;
    this.#waits = words.waits;
    this.#wakes = words.wakes;
    this.#permits = words.permits;
    this.isLeased = Atomics.load(words.lease, 0) !== 0n;
    this.#at = Math.floor((thread * words.permits.length) / words.waits.length);
  }

  /** Whether the share of this node counts at this moment: what a node that was paused had before is another's, maybe. */
  get counts(): boolean {
    return !this.isLeased || process.hrtime.bigint() < Atomics.load(this.#words.lease, 0);
  }

  /** Somebody waits for the share of this node to count. */
  lacks(): void {
    Atomics.store(this.#words.lacksPermit, 0, 1);
    Atomics.store(this.#words.lacksToken, 0, 1);
  }

  /** Takes a permit, if there is one. Without a limit there always is. */
  take(): boolean {
    const { length } = this.#permits;
    if (length === 0) return true;
    const me = this.#thread + 1;
    for (let looked = 0; looked < length; looked++) {
      const at = (this.#at + looked) % length;
      const holder = Atomics.load(this.#permits, at);
      if (holder !== 0 && holder !== -me) continue;
      if (Atomics.compareExchange(this.#permits, at, holder, me) !== holder) continue;
      this.#held.push(at);
      this.#at = at;
      return true;
    }
    return false;
  }

  /** Gives one of this thread's permits back. */
  release(): void {
    const at = this.#held.pop();
    if (at !== undefined) this.give(at);
  }

  /**
   * Takes a permit, or says that this thread waits for one: then `onWake` is called when there may be one, and whenever one was handed
   * to this thread, wanted or not. Does not keep the process alive.
   */
  takeOrWait(): boolean {
    const seen = Atomics.load(this.#wakes, this.#thread);
    Atomics.store(this.#waits, this.#thread, 1);
    // One may have come back before anybody could see that this thread waits.
    const took = this.take();
    if (!took) Atomics.store(this.#words.lacksPermit, 0, 1);
    if (!took || !this.waitNoLonger()) this.#listen(seen);
    return took;
  }

  /** Whether no permit is on its way to this thread. */
  waitNoLonger(): boolean {
    return Atomics.compareExchange(this.#waits, this.#thread, 1, 0) === 1;
  }

  #listen(seen: number): void {
    // Alone, its own permits are all that can come back, and it sees them.
    if (this.#listens || this.#waits.length === 1) return;
    this.#listens = true;
    const { async, value } = Atomics.waitAsync(this.#wakes, this.#thread, seen, LOOK_MS);
    void (async ? value : Promise.resolve()).then(() => {
      this.#listens = false;
      this.onWake();
    });
  }

  /** Hands on what was handed to this thread and is not needed. */
  passOn(): void {
    for (let at = 0; at < this.#permits.length; at++) {
      if (Atomics.load(this.#permits, at) === -(this.#thread + 1)) this.give(at);
    }
  }

  /** Hands a permit of this thread to the next that waits, or to nobody. */
  give(at: number): void {
    for (;;) {
      if (this.#handOver(at)) return;
      const mine = Atomics.exchange(this.#permits, at, 0);
      // Who began to wait since this looked has looked before the permit was there.
      if (this.#nextThatWaits() === undefined || Atomics.compareExchange(this.#permits, at, 0, mine) !== 0)
        return;
    }
  }

  #handOver(at: number): boolean {
    for (;;) {
      const next = this.#nextThatWaits();
      if (next === undefined) return false;
      if (Atomics.compareExchange(this.#waits, next, 1, 0) !== 1) continue;
      Atomics.store(this.#permits, at, -(next + 1));
      Atomics.add(this.#wakes, next, 1);
      Atomics.notify(this.#wakes, next);
      return true;
    }
  }

  /** In turn, this one last and left away. Only numbers that have been attached: a look at all of them is most of what a call costs. */
  #nextThatWaits(): number | undefined {
    const last = this.#waits.length - 1;
    const attached = Atomics.load(this.#words.attached, 0);
    const places = Math.min(attached, last) + 1;
    const mine = Math.min(this.#thread, places - 1);
    for (let step = 1; step < places; step++) {
      const place = (mine + step) % places;
      const next = place === places - 1 ? last : place;
      if (Atomics.load(this.#waits, next) === 1) return next;
    }
    return undefined;
  }
}
