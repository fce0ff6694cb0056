/**
 * A rate that threads share: a token bucket kept as one number, the time at which it will be full again (GCRA, ITU-T I.371). One
 * word that is changed by compare and exchange: a thread that ends at any moment leaves it whole.
 *
 * The bucket is made of *units*, each of which holds one token and gets one in the time in which the whole bucket fills; a limit has as
 * many as its burst. With some of them only, the bucket is as much smaller and as much slower, and fills in the same time: so the word
 * says how full it is, whatever the units. The main thread takes units away and adds some (`lower`, `raise`) while threads take tokens:
 * - a thread reads the word first and the units then, and its exchange fails if the word has changed since
 * - who adds units changes the word first: by the new one and the old units there are fewer tokens, not more
 * - who takes some away does that first, counts it, and changes the word then. A word can come again, though, and a thread may have stood
 *   still that long: so it looks whether units were taken away since it read them, and has paid for nothing then
 *
 * A token that is booked has been taken. When the units change, bookings are void and their tokens given back. Tokens that are being taken or
 * booked at that moment may cost more, never less, and are lost when units are taken away.
 */
import type { FilledLimits } from '../limits.js';
import type { LimitWords } from './limit-words.js';

const NS_PER_MS = 1_000_000n;
/** Of a booking. */
const NONE = 0;
const BEING_MADE = 1;
const BOOKED = 2;

export class SharedRate {
  readonly #words: LimitWords;
  readonly #taker: number;
  /** In which an empty bucket fills. */
  readonly #fillNs: bigint;
  readonly #counts: boolean;
  /** What the next ones were made for. */
  #units = 0;
  /** Of one token. */
  #stepNs = 0n;
  /** More than that ahead only when the clock was set back, or units were added to what a thread booked by fewer. */
  #aheadNsMax = 0n;

  constructor(words: LimitWords, { ratePerSecond, burst }: FilledLimits, taker: number) {
    this.#words = words;
    this.#taker = taker;
    this.#fillNs = BigInt(Math.ceil(1e9 / ratePerSecond)) * BigInt(burst);
    this.#counts = Atomics.load(words.lease, 0) !== 0n;
  }

  /** In which an empty bucket fills, milliseconds. */
  get fillMs(): number {
    return Number(this.#fillNs) / 1e6;
  }

  get units(): number {
    return Atomics.load(this.#words.units, 0);
  }

  /** Takes up to `wanted` tokens; returns how many there were. */
  take(wanted: number, nowMs: number): number {
    let taken = 0;
    const isChanged = this.#change(nowMs, (base, now) => {
      const free = (now + this.#fillNs - base) / this.#stepNs;
      taken = free <= 0n ? 0 : Math.min(wanted, Number(free));
      return base + this.#stepNs * BigInt(taken);
    });
    if (!isChanged) return 0;
    if (this.#counts) Atomics.add(this.#words.taken, 0, taken);
    return taken;
  }

  /**
   * Books the next token that nobody has booked; returns when it is there, milliseconds; undefined when none comes with these units, when
   * they are changed at the moment, or when so many that were booked were forgotten that its turn is not near: look again later. So threads
   * that wait are served in the order of their booking; if all tried again when there is a token, the one with the earliest timer
   * would win each time. Each thread has one booking at most.
   */
  book(nowMs: number): number | undefined {
    const { booked, lacksToken } = this.#words;
    Atomics.store(lacksToken, 0, 1);
    Atomics.store(booked, this.#taker, BEING_MADE);
    let at: bigint | undefined;
    const isMade = this.#change(nowMs, (base, now) => {
      const after = base + this.#stepNs;
      // Behind bookings that were forgotten: not before their time has come.
      const isNear = after <= now + this.#aheadNsMax;
      at = isNear ? after - this.#fillNs : undefined;
      return isNear ? after : base;
    });
    if (!isMade || at === undefined) Atomics.store(booked, this.#taker, NONE);
    else if (Atomics.compareExchange(booked, this.#taker, BEING_MADE, BOOKED) === BEING_MADE) {
      return Number((at + NS_PER_MS - 1n) / NS_PER_MS);
    }
    return undefined;
  }

  /** Whether the booking of this thread counts. */
  get isBooked(): boolean {
    return Atomics.load(this.#words.booked, this.#taker) === BOOKED;
  }

  /**
   * Uses what was booked; false when it is void. Who comes late for it does not save up: the bucket is not full now. When several come
   * late at once, as many messages as threads but one may be handed out above the rate.
   */
  useBooked(nowMs: number): boolean {
    if (Atomics.compareExchange(this.#words.booked, this.#taker, BOOKED, NONE) !== BOOKED) return false;
    this.#change(nowMs, (base, now) => {
      const least = now + this.#stepNs;
      if (base < least) return least;
      return base;
    });
    if (this.#counts) Atomics.add(this.#words.taken, 0, 1);
    return true;
  }

  /** The booking is not needed; its token is lost. */
  forgetBooking(): void {
    Atomics.store(this.#words.booked, this.#taker, NONE);
  }

  /** After so many milliseconds without a message it is full. */
  get longestWaitMs(): number {
    return Number(this.#aheadNsMax / NS_PER_MS) + 1;
  }

  /** For the main thread: has `units` from now on, no more than before. Returns the tokens that go with the others. */
  lower(units: number, nowMs: number): number {
    const before = this.units;
    if (before === 0) return 0;
    Atomics.store(this.#words.units, 0, units);
    Atomics.add(this.#words.lowered, 0, 1);
    const tokens = this.#refill(nowMs, before, (tokens) => tokens / before);
    return tokens * (1 - units / before);
  }

  /** For the main thread: has `units` from now on, no fewer than before, and `tokens` more. */
  raise(units: number, tokens: number, nowMs: number): void {
    if (units === 0) return;
    this.#refill(nowMs, this.units, (had) => Math.min(1, (had + tokens) / units));
    Atomics.store(this.#words.units, 0, units);
  }

  /** Makes the bucket as full as `fullness` says (0 to 1) of the tokens that it has, which are returned. */
  #refill(nowMs: number, units: number, fullness: (tokens: number) => number): number {
    const { fullAt, booked } = this.#words;
    const now = BigInt(Math.floor(nowMs)) * NS_PER_MS;
    const fill = Number(this.#fillNs);
    let returned = 0;
    for (;;) {
      // First: what is booked after a look at the bookings was not paid for in this word.
      const before = Atomics.load(fullAt, 0);
      for (let taker = 0; taker < booked.length; taker++) {
        if (Atomics.exchange(booked, taker, NONE) === BOOKED) returned++;
      }
      const missing = Number(before > now ? before - now : 0n) / fill;
      const tokens = Math.min(units, Math.max(0, units * (1 - missing) + returned));
      const after = now + BigInt(Math.ceil(fill * (1 - fullness(tokens))));
      if (Atomics.compareExchange(fullAt, 0, before, after) === before) return tokens;
    }
  }

  /** False when nothing is to be had by it: without a change when there are no units, with one when they were lowered meanwhile. */
  #change(nowMs: number, next: (base: bigint, now: bigint) => bigint): boolean {
    const { fullAt, units, lowered } = this.#words;
    const now = BigInt(Math.floor(nowMs)) * NS_PER_MS;
    for (;;) {
      const times = Atomics.load(lowered, 0);
      const before = Atomics.load(fullAt, 0);
      const has = Atomics.load(units, 0);
      if (has !== this.#units) this.#use(has);
      if (has === 0) return false;
      let base = before > now ? before : now;
      if (base > now + this.#aheadNsMax) base = now + this.#fillNs + this.#stepNs * this.#bookings();
      const after = next(base, now);
      // One of all that try succeeds.
      if (Atomics.compareExchange(fullAt, 0, before, after) === before) {
        return Atomics.load(lowered, 0) === times;
      }
    }
  }

  /** That others have made or are making. */
  #bookings(): bigint {
    const { booked } = this.#words;
    let made = 0n;
    for (let taker = 0; taker < booked.length; taker++) {
      if (taker !== this.#taker && Atomics.load(booked, taker) !== NONE) made++;
    }
    return made;
  }

  #use(units: number): void {
    this.#units = units;
    if (units === 0) return;
    this.#stepNs = (this.#fillNs + BigInt(units) - 1n) / BigInt(units);
    this.#aheadNsMax = this.#fillNs + this.#stepNs * BigInt(this.#words.booked.length);
  }
}
