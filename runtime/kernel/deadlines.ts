/**
 * Deadlines of what waits, by the thousand: a hashed timing wheel (Varghese and Lauck, 1987). Setting and lifting one is constant
 * time, and an empty wheel costs nothing. A deadline expires at its time or up to a tick later.
 */
import type { Clock } from '../clock.js';

const TICK_MS = 10;
const SLOTS = 512;

/** Something with a deadline. `expire` is called at most once, unless it is lifted before. */
export abstract class Deadline {
  /** Neighbours in the slot; of the wheel alone. */
  before: Deadline | undefined = undefined;
  after: Deadline | undefined = undefined;
  /** -1: not set. */
  slot = -1;
  dueAt = 0;
  abstract expire(): void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #slots: (Deadline | undefined)[] = new Array<Deadline | undefined>(SLOTS).fill(undefined);
  #size = 0;
  /** The last tick that was looked at; what is due later in it is still in its slot. */
  #tick = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Deadlines that are set. */
  get size(): number {
    return this.#size;
  }

  set(deadline: Deadline, ms: number): void {
    const now = this.#clock.now();
    const tick = Math.floor(now / TICK_MS);
    // A clock that was set back may be set forward again before anybody looks.
    if (this.#size++ === 0 || tick < this.#tick) this.#tick = tick;
    deadline.dueAt = now + ms;
    const slot = Math.floor(deadline.dueAt / TICK_MS) % SLOTS;
    const first = this.#slots[slot];
    deadline.slot = slot;
    deadline.after = first;
    if (first !== undefined) first.before = deadline;
    this.#slots[slot] = deadline;
    this.#cancel ??= this.#clock.after(TICK_MS, this.#turn);
  }

  lift(deadline: Deadline): void {
    const { slot, before, after } = deadline;
    if (slot === -1) return;
    if (before !== undefined) before.after = after;
    else this.#slots[slot] = after;
    if (after !== undefined) after.before = before;
    deadline.before = undefined;
    deadline.after = undefined;
    deadline.slot = -1;
    this.#size--;
  }

  /** Lifts all of them. */
  clear(): void {
    for (const first of this.#slots) {
      for (let deadline = first; deadline !== undefined; ) {
        const { after } = deadline;
        this.lift(deadline);
        deadline = after;
      }
    }
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #turn = (): void => {
    this.#cancel = undefined;
    const now = this.#clock.now();
    const tick = Math.floor(now / TICK_MS);
    // A clock that jumped is looked after by one turn of the wheel; one that was set back starts anew.
    const from = tick - this.#tick >= SLOTS || tick < this.#tick ? tick - SLOTS + 1 : this.#tick;
    this.#tick = tick;
    for (let at = from; at <= tick; at++) this.#expire(((at % SLOTS) + SLOTS) % SLOTS, now);
    if (this.#size > 0) this.#cancel ??= this.#clock.after(TICK_MS, this.#turn);
  };

  #expire(slot: number, now: number): void {
    const due: Deadline[] = [];
    for (let deadline = this.#slots[slot]; deadline !== undefined; deadline = deadline.after) {
      if (deadline.dueAt <= now) due.push(deadline);
    }
    for (const deadline of due) {
      // One that expires may lift another.
      if (deadline.slot === -1) continue;
      this.lift(deadline);
      deadline.expire();
    }
  }
}
