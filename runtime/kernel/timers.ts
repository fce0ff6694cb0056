import type { Timers } from '../actor.js';
import type { Clock } from '../clock.js';

/** More than that is a leak. */
const TIMERS_MAX = 1_000;
/** Of `setTimeout`. */
const MS_MAX = 2_147_483_647;

/** The timers of an activation, by name: each sends it a message, in its turn like any other. They end with its life. */
export class ActivationTimers implements Timers {
  readonly #clock: Clock;
  readonly #send: (body: unknown) => void;
  readonly #cancels = new Map<string, () => void>();
  #ended = false;

  constructor(clock: Clock, send: (body: unknown) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  get size(): number {
    return this.#cancels.size;
  }

  after(name: string, ms: number, body: unknown): void {
    this.#set(name, ms, 0, () => {
      this.#cancels.delete(name);
      this.#send(body);
    });
  }

  every(name: string, ms: number, body: unknown): void {
    this.#set(name, ms, 1, () => {
      this.every(name, ms, body);
      this.#send(body);
    });
  }

  cancel(name: string): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }

  /** There are none any more, and none can be set. */
  end(): void {
    this.clear();
    this.#ended = true;
  }

  clear(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  #set(name: string, ms: number, msMin: number, action: () => void): void {
    if (!(ms >= msMin && ms <= MS_MAX)) {
      throw new RangeError(`timer ${name}: ${ms} ms is not from ${msMin} to ${MS_MAX}`);
    }
    if (this.#ended) return;
    this.cancel(name);
    if (this.#cancels.size >= TIMERS_MAX) throw new RangeError(`more than ${TIMERS_MAX} timers`);
    this.#cancels.set(name, this.#clock.after(ms, action));
  }
}
