/**
 * The limits of an actor type in one thread: first those of the activation's group, then those of the whole type, which all threads
 * share. Whoever is next in its group stays so until the type has room as well, so that nothing is taken in vain and each limit is
 * first come, first served; between threads, they take turns (`shared-limits.ts`).
 *
 * Bounds: who waits is an activation, once in each queue. A group is remembered while it has calls, waits, or its rate has not
 * recovered. Nothing that waits: no timer.
 */
import type { Clock } from '../clock.js';
import { type FilledLimits, fillLimits, type Limits } from '../limits.js';
import { SharedLimits, type ThreadLimits } from '../pool/shared-limits.js';
import { LimitQueue } from './limit-queue.js';
import type { Limited, Limiter } from './limiter.js';

/** Between two looks of who waits, at a share that is not there or is too small. */
const SHARE_LOOK_MS = 50;

export interface TypeLimiterOptions {
  readonly clock: Clock;
  /** Of the type as a whole. */
  readonly shared: ThreadLimits | undefined;
  readonly perGroup: FilledLimits | undefined;
  group(key: string): string;
}

/** The limiter of a type, if it has limits. @param shared those of the type, with other threads; default: of its own */
export function limiterOf(
  host: { readonly kernel: { readonly clock: Clock }; group(key: string): string },
  limits: Limits | undefined,
  shared: ThreadLimits | undefined,
): TypeLimiter | undefined {
  const all = fillLimits(limits);
  const perGroup = fillLimits(limits?.perGroup);
  if (all === undefined && perGroup === undefined) return undefined;
  return new TypeLimiter({
    clock: host.kernel.clock,
    shared: shared ?? (all === undefined ? undefined : new SharedLimits(all, 1).attach(0)),
    perGroup,
    group: (key) => host.group(key),
  });
}

export class TypeLimiter implements Limiter {
  readonly #options: TypeLimiterOptions;
  readonly #gate: Gate | undefined;
  readonly #groups = new Map<string, Group>();

  constructor(options: TypeLimiterOptions) {
    this.#options = options;
    this.#gate = options.shared === undefined ? undefined : new Gate(options.clock, options.shared);
  }

  /** Groups that are remembered. */
  get groups(): number {
    return this.#groups.size;
  }

  admit(activation: Limited, wanted: number): number {
    const group = this.#group(activation, true);
    const room = group === undefined ? wanted : group.room(activation, wanted);
    if (room === 0) {
      group?.queue.enter(activation);
      this.#gate?.leave(activation);
      return 0;
    }
    const admitted = this.#gate === undefined ? room : this.#gate.admit(activation, room);
    if (admitted === 0) group?.queue.hold(activation);
    else group?.admitted(activation, admitted);
    return admitted;
  }

  release(activation: Limited): void {
    const group = this.#group(activation, false);
    group?.release();
    this.#gate?.release();
    if (group?.idle) this.#groups.delete(this.#options.group(activation.key));
  }

  leave(activation: Limited): void {
    const group = this.#group(activation, false);
    group?.queue.leave(activation);
    this.#gate?.leave(activation);
    if (group?.idle) this.#groups.delete(this.#options.group(activation.key));
  }

  sweep(): void {
    for (const [name, group] of this.#groups) if (group.idle) this.#groups.delete(name);
  }

  #group({ key }: Limited, make: boolean): Group | undefined {
    const { perGroup, clock } = this.#options;
    if (perGroup === undefined) return undefined;
    const name = this.#options.group(key);
    let group = this.#groups.get(name);
    if (group === undefined && make) {
      group = new Group(clock, perGroup);
      this.#groups.set(name, group);
    }
    return group;
  }
}

/** The limits of one group, which lives in one thread. */
class Group {
  readonly queue: LimitQueue;
  readonly #clock: Clock;
  readonly #limits: FilledLimits;
  #calls = 0;
  /** When the bucket will be full again. */
  #fullAt = 0;

  constructor(clock: Clock, limits: FilledLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.queue = new LimitQueue(clock, () => this.#waitMs());
  }

  get idle(): boolean {
    return this.#calls === 0 && this.queue.size === 0 && this.#fullAt <= this.#clock.now();
  }

  /** How many messages may begin now, of this activation. */
  room(activation: Limited, wanted: number): number {
    if (!this.queue.isNext(activation) || this.#calls >= this.#limits.concurrencyMax) return 0;
    return Math.min(wanted, this.#tokens());
  }

  admitted(activation: Limited, messages: number): void {
    const { ratePerSecond } = this.#limits;
    this.#calls++;
    if (Number.isFinite(ratePerSecond)) {
      this.#fullAt = Math.max(this.#fullAt, this.#clock.now()) + (messages * 1_000) / ratePerSecond;
    }
    this.queue.leave(activation);
  }

  release(): void {
    this.#calls--;
    this.queue.call();
  }

  #tokens(): number {
    const { ratePerSecond, burst } = this.#limits;
    if (!Number.isFinite(ratePerSecond)) return Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    // A clock that was set back leaves the bucket empty, not more.
    this.#fullAt = Math.min(this.#fullAt, now + (burst * 1_000) / ratePerSecond);
    const missing = (Math.max(0, this.#fullAt - now) * ratePerSecond) / 1_000;
    // Times have 53 bits: a token is there when all but a millionth of it is.
    return Math.floor(burst - missing + 1e-6);
  }

  #waitMs(): number {
    const { ratePerSecond, burst, concurrencyMax } = this.#limits;
    if (this.#calls >= concurrencyMax) return Number.POSITIVE_INFINITY;
    if (this.#tokens() >= 1) return 0;
    return Math.max(1, this.#fullAt - this.#clock.now() - ((burst - 1) * 1_000) / ratePerSecond);
  }
}

/**
 * The limits of the whole type. What it takes for the first that waits, a permit and the booking of a token, is its own: should that
 * one leave, they are for the next.
 */
class Gate {
  readonly #clock: Clock;
  readonly #shared: ThreadLimits;
  readonly #queue: LimitQueue;
  /** Has a permit for the next call. */
  #permit = false;
  /** When the token of the next call is there, if it had to be booked. */
  #bookedAt: number | undefined;

  constructor(clock: Clock, shared: ThreadLimits) {
    this.#clock = clock;
    this.#shared = shared;
    this.#queue = new LimitQueue(clock, () => this.#waitMs());
    shared.onWake = () => {
      if (this.#queue.size === 0) shared.passOn();
      else this.#queue.call();
    };
  }

  admit(activation: Limited, wanted: number): number {
    if (!this.#queue.isNext(activation)) {
      this.#queue.enter(activation);
      return 0;
    }
    const admitted = this.#take(wanted);
    if (admitted === 0) {
      this.#queue.enter(activation);
    } else {
      this.#permit = false;
      this.#queue.leave(activation);
      this.#settle();
    }
    return admitted;
  }

  release(): void {
    this.#shared.release();
    this.#queue.call();
  }

  leave(activation: Limited): void {
    if (this.#queue.leave(activation)) this.#settle();
  }

  /** Keeps nothing for nobody. A token that was booked is lost then: who booked after it counts on its time. */
  #settle(): void {
    if (this.#queue.size > 0) return;
    if (this.#permit) this.#shared.release();
    this.#permit = false;
    if (this.#bookedAt !== undefined) this.#shared.rate?.forgetBooking();
    this.#bookedAt = undefined;
    this.#shared.waitNoLonger();
  }

  #take(wanted: number): number {
    if (!this.#shared.counts) return 0;
    if (!this.#permit && !this.#shared.take()) return 0;
    this.#permit = true;
    const { rate } = this.#shared;
    if (rate === undefined) return wanted;
    const now = this.#clock.now();
    if (this.#bookedAt === undefined) return rate.take(wanted, now);
    if (this.#bookedAt > now) return 0;
    this.#bookedAt = undefined;
    const used = rate.useBooked(now) ? 1 : 0;
    return wanted > used ? used + rate.take(wanted - used, now) : used;
  }

  /** Until the first may begin; called while somebody waits. */
  #waitMs(): number {
    const shared = this.#shared;
    if (!shared.counts) {
      shared.lacks();
      return SHARE_LOOK_MS;
    }
    if (!this.#permit && !shared.takeOrWait()) return Number.POSITIVE_INFINITY;
    this.#permit = true;
    const { rate } = shared;
    if (rate === undefined) return 0;
    const now = this.#clock.now();
    // One that is too far ahead was booked before the clock was set back.
    if (this.#bookedAt === undefined || this.#bookedAt - now > rate.longestWaitMs || !rate.isBooked) {
      this.#bookedAt = rate.book(now);
    }
    if (this.#bookedAt === undefined) return SHARE_LOOK_MS;
    const waitMs = this.#bookedAt - now;
    // The share may change meanwhile.
    return shared.isLeased ? Math.min(waitMs, SHARE_LOOK_MS) : waitMs;
  }
}
