/**
 * What a worker thread measures of its actors, to be sent to the main thread once a second (`Load`).
 *
 * A message of the log costs three additions to typed arrays; the time is looked at once for a delivery and twice for a call. Calls for
 * volatile messages can be millions a second: after so many in a second, one of sixteen is measured and counts for all.
 */
import { performance } from 'node:perf_hooks';
import type { CallDelta } from './dependency-calls.js';
import { Histogram, type HistogramDelta } from './histogram.js';
import { type HotKey, HotKeys } from './hot-keys.js';
import type { LoopSample } from './loop-meter.js';

/** Names of the times of a message, in the order of its life. */
export const TIMES = ['logWait', 'queue', 'turn', 'age'] as const;
export type TimeName = (typeof TIMES)[number];

/** A message of the log in this thread, as far as it is measured. */
export interface Measured {
  /** When it came into the thread, as `arrival` says; `BEGUN` once an actor has begun with it, and where nobody measured that. */
  arrivedAt?: number;
  /** `receivedAt`: milliseconds since the epoch; 0 when nobody knows. */
  readonly message: { readonly key: string; readonly receivedAt: number };
}

export interface DeepMailbox {
  readonly key: string;
  /** Messages that wait in it. */
  readonly depth: number;
}

/** Since the last time; in a message between threads. */
export interface ThreadMeasures extends LoopSample {
  readonly times: Readonly<Record<TimeName, HistogramDelta | undefined>>;
  /** Hottest first. */
  readonly hottest: readonly HotKey[];
  /** Deepest first. */
  readonly deepest: readonly DeepMailbox[];
  /** Messages in the deepest of those that were looked at. */
  readonly mailboxMax: number;
  readonly calls: readonly CallDelta[];
}

/** An `arrivedAt`. */
export const BEGUN = 0;
/** Of an `arrivedAt`: it begins anew after 12 hours, which are in the last bucket anyway. */
const ARRIVAL_PER_MS = 100;

/** Keys that are told, and mailboxes. */
export const TOP_MAX = 20;
/** Calls for volatile messages, and keys, that are all looked at in a second. */
const EACH_MAX = 500;
/** Beyond, one of so many is. */
const STRIDE = 16;

export class ThreadMeter {
  readonly #times = {
    logWait: new Histogram(),
    queue: new Histogram(),
    turn: new Histogram(),
    age: new Histogram(),
  };
  readonly #keys = new HotKeys();
  #volatileCalls = 0;
  #keysSeen = 0;
  #takenAt = performance.now();

  /** Monotonic, milliseconds with fractions. */
  now(): number {
    return performance.now();
  }

  /**
   * Now, for `arrivedAt`. A small integer, as `BEGUN` is: to write another kind of value there makes V8 give each message another shape, which took
   * longer than all else here.
   */
  arrival(): number {
    return Math.trunc(this.now() * ARRIVAL_PER_MS) | 0 || 1;
  }

  /** A message comes from the log. @param receivedAt when it was accepted, and `now`: milliseconds since the epoch */
  delivered(receivedAt: number, now: number): void {
    if (receivedAt > 0) this.#times.logWait.observe(now - receivedAt);
  }

  /** An actor begins with these; those that it was given before are not counted again. */
  began(batch: readonly Measured[], keyed: boolean): void {
    const now = this.arrival();
    // Messages of one delivery came at one time, and mostly stand together.
    let arrivedAt = BEGUN;
    let together = 0;
    for (const entry of batch) {
      const { arrivedAt: at = BEGUN } = entry;
      if (at !== arrivedAt) {
        this.#waited(arrivedAt, now, together);
        arrivedAt = at;
        together = 0;
      }
      together++;
      entry.arrivedAt = BEGUN;
      if (keyed) continue;
      // Not a look at a message that is not counted: they are many, and not in the processor's cache.
      const weight = this.#keyWeight();
      if (weight > 0) this.#keys.add(entry.message.key, weight);
    }
    this.#waited(arrivedAt, now, together);
    if (keyed) this.key(batch[0]?.message.key ?? '', batch.length);
  }

  #waited(arrivedAt: number, now: number, count: number): void {
    if (arrivedAt === BEGUN) return;
    this.#times.queue.observe(((now - arrivedAt) >>> 0) / ARRIVAL_PER_MS, count);
  }

  /** So many messages of that key are handled. */
  key(key: string, count: number): void {
    const weight = this.#keyWeight();
    if (weight > 0) this.#keys.add(key, count * weight);
  }

  /** For how many the next key stands; 0 when it is not counted. */
  #keyWeight(): number {
    const seen = ++this.#keysSeen;
    if (seen <= EACH_MAX) return 1;
    return seen % STRIDE === 0 ? STRIDE : 0;
  }

  /** For how many calls one for volatile messages that begins now stands; 0 when it is not measured. */
  volatileWeight(): number {
    const calls = ++this.#volatileCalls;
    if (calls <= EACH_MAX) return 1;
    return calls % STRIDE === 0 ? STRIDE : 0;
  }

  /** A call of `receive` is over. @param begunAt by `now` */
  turn(begunAt: number, weight: number): void {
    this.#times.turn.observe(this.now() - begunAt, weight);
  }

  /** These are done. @param now milliseconds since the epoch */
  done(entries: readonly Measured[], now: number): void {
    for (const { message } of entries) {
      if (message.receivedAt > 0) this.#times.age.observe(now - message.receivedAt);
    }
  }

  /** What was measured since the last time. */
  take(): Pick<ThreadMeasures, 'times' | 'hottest'> {
    const now = this.now();
    const { logWait, queue, turn, age } = this.#times;
    const hottest = this.#keys.take(TOP_MAX, now - this.#takenAt);
    this.#takenAt = now;
    this.#volatileCalls = 0;
    this.#keysSeen = 0;
    return {
      times: { logWait: logWait.take(), queue: queue.take(), turn: turn.take(), age: age.take() },
      hottest,
    };
  }
}
