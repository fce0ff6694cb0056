/**
 * How many deliveries of a target are under way, and how many begin in a second.
 *
 * Who meets a limit waits in line, for a bounded time and among a bounded number: whoever is turned away waits in the table, where waiting
 * costs nothing. A rate is a token bucket.
 */
import type { Clock } from '../../runtime/clock.js';

export interface GateSettings {
  readonly concurrency: number;
  readonly ratePerSecond: number;
  readonly burst: number;
}

const LINE_MAX = 100;

interface Waiter {
  readonly answer: (isIn: boolean) => void;
  readonly cancel: () => void;
}

export class Gate {
  readonly #settings: GateSettings;
  readonly #clock: Clock;
  readonly #line = new Set<Waiter>();
  #inside = 0;
  #tokens: number;
  #filledAt: number;
  #cancelTimer: (() => void) | undefined;

  /** @param clock monotonic */
  constructor(settings: GateSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#tokens = settings.burst;
    this.#filledAt = clock.now();
  }

  /** Whether it is in; then it leaves once. */
  enter(waitMsMax: number): Promise<boolean> {
    if (this.#line.size === 0 && this.#take()) return Promise.resolve(true);
    if (this.#line.size >= LINE_MAX) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        answer: resolve,
        cancel: this.#clock.after(waitMsMax, () => {
          this.#line.delete(waiter);
          resolve(false);
        }),
      };
      this.#line.add(waiter);
      this.#admit();
    });
  }

  leave(): void {
    this.#inside--;
    this.#admit();
  }

  #admit(): void {
    for (const waiter of this.#line) {
      if (!this.#take()) break;
      this.#line.delete(waiter);
      waiter.cancel();
      waiter.answer(true);
    }
    if (this.#line.size === 0 || this.#inside >= this.#settings.concurrency) return;
    this.#cancelTimer ??= this.#clock.after(this.#msToToken(), () => {
      this.#cancelTimer = undefined;
      this.#admit();
    });
  }

  #take(): boolean {
    const { concurrency, ratePerSecond, burst } = this.#settings;
    if (this.#inside >= concurrency) return false;
    if (Number.isFinite(ratePerSecond)) {
      const now = this.#clock.now();
      this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1_000) * ratePerSecond);
      this.#filledAt = now;
      if (this.#tokens < 1) return false;
      this.#tokens--;
    }
    this.#inside++;
    return true;
  }

  #msToToken(): number {
    return Math.max(1, Math.ceil(((1 - this.#tokens) / this.#settings.ratePerSecond) * 1_000));
  }
}
