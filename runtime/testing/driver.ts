/**
 * What moves a test system: turns of the event loop until nothing is ready, and time, from one alarm to the next. One move of time
 * at a time; the others wait for their turn.
 */
import type { Order } from './order.js';
import type { VirtualClock } from './virtual-clock.js';

/** There was no end to what was ready. */
export class UnsettledError extends Error {
  override readonly name = 'UnsettledError';
}

export interface Driven {
  /** Something is ready, or on its way. */
  readonly busy: boolean;
  /** No more moves. */
  readonly stopped: boolean;
  /** Nothing is ready. Throws what was met on the way. */
  settled(): void;
  /** Nothing may go on. Resolves with what was done last, as text. */
  giveUp(): Promise<string>;
}

const TURNS_MAX = 100_000;
/** Turns without work before the system counts as settled: an actor may have gone by `setImmediate` itself. */
const IDLE_TURNS = 2;

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

export class Driver {
  readonly #clock: VirtualClock;
  readonly #order: Order;
  readonly #driven: Driven;
  #moves: Promise<unknown> = Promise.resolve();

  constructor(clock: VirtualClock, order: Order, driven: Driven) {
    this.#clock = clock;
    this.#order = order;
    this.#driven = driven;
  }

  /** @throws UnsettledError */
  async settle(turnsMax = TURNS_MAX): Promise<void> {
    for (let turns = 0, idle = 0; idle < IDLE_TURNS; turns++) {
      if (turns >= turnsMax) {
        const last = await this.#driven.giveUp();
        throw new UnsettledError(
          `not settled after ${turnsMax} turns: there is always something ready. The system is stopped. It did last:\n${last}`,
        );
      }
      await nextTurn();
      idle = this.#driven.busy ? 0 : idle + 1;
    }
    this.#driven.settled();
  }

  /** Moves time on by `ms`, or until `condition` holds. */
  pass(ms: number, condition: () => boolean): Promise<void> {
    const moved = this.#moves.then(() => this.#pass(ms, condition));
    this.#moves = moved.catch(() => undefined);
    return moved;
  }

  /** Moves time on until `promise` is settled, for at most `withinMs`. */
  async run<Value>(promise: Promise<Value>, withinMs: number): Promise<Value> {
    let settled = false;
    const end = () => {
      settled = true;
    };
    promise.then(end, end);
    await this.pass(withinMs, () => settled);
    if (!settled) throw new Error(`not settled in ${withinMs} ms of the system's time`);
    return promise;
  }

  async #pass(ms: number, condition: () => boolean): Promise<void> {
    const clock = this.#clock;
    const end = clock.now() + ms;
    await this.settle();
    while (!condition()) {
      const at = clock.nextAt;
      if (this.#driven.stopped || at === undefined || at > end) {
        clock.moveTo(end);
        return;
      }
      clock.ring();
      if (clock.nextAt !== at || this.#order.pauses()) await this.settle();
    }
  }
}
