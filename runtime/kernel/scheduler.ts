/**
 * The run queue of a thread: which activation is next. Each runs one batch at a time and goes to the end of the queue, so that
 * one with a full mailbox holds up no other.
 *
 * The queue is run from a microtask, so that what is sent in one go is there when its receiver runs, and what wakes by a promise
 * goes on at once. A turn is bounded in time, and after a number of turns by microtask one waits for `setImmediate`: sockets,
 * ports and timers get their turn however busy the actors are.
 */
import { Ring } from './ring.js';

export interface Runnable {
  run(): void;
}

const TURN_MS_MAX = 4;
/** Between two looks at the time. */
const RUNS_BETWEEN_LOOKS = 32;
const MICROTASK_TURNS_MAX = 64;

export class Scheduler {
  /** Counts turns; what was used in a turn is as recently used as all of it. */
  turn = 0;
  readonly #queue = new Ring<Runnable>();
  /** Which of `length` runnables is next. Default: the first. */
  readonly #choose: ((length: number) => number) | undefined;
  readonly #runs: (() => number) | undefined;
  readonly #onFailure: (error: unknown) => void;
  /** `held`: nothing is run until `release`; what is scheduled meanwhile waits. */
  #mode: 'idle' | 'armed' | 'running' | 'held' = 'idle';
  #microtaskTurns = 0;

  /**
   * @param runs how many runnables the turn that begins runs, in place of its bound in time; turns are by `setImmediate` alone
   *   then, so that the same choices give the same order on any machine
   */
  constructor(onFailure: (error: unknown) => void, choose?: (length: number) => number, runs?: () => number) {
    this.#onFailure = onFailure;
    this.#choose = choose;
    this.#runs = runs;
  }

  get length(): number {
    return this.#queue.length;
  }

  schedule(runnable: Runnable): void {
    this.#queue.push(runnable);
    if (this.#mode === 'idle') this.#arm();
  }

  /** Runs what is queued now, for at most a turn: for the handler of a port, which nothing else waits behind. */
  flush(): void {
    if (this.#mode !== 'running' && this.#mode !== 'held' && this.#queue.length > 0) this.#run();
  }

  /** Nothing more is run until `release`. Of what is run, nobody may call it. */
  hold(): void {
    if (this.#mode === 'running' || this.#mode === 'held') {
      throw new Error(`a scheduler that is ${this.#mode} cannot be held`);
    }
    this.#mode = 'held';
  }

  release(): void {
    if (this.#mode !== 'held') throw new Error(`a scheduler that is ${this.#mode} cannot be released`);
    this.#mode = 'idle';
    if (this.#queue.length > 0) this.#arm();
  }

  #arm(): void {
    this.#mode = 'armed';
    if (this.#runs === undefined && ++this.#microtaskTurns < MICROTASK_TURNS_MAX) {
      queueMicrotask(this.#turnByMicrotask);
    } else {
      setImmediate(this.#turnByMacrotask);
    }
  }

  readonly #turnByMicrotask = (): void => {
    if (this.#mode === 'armed') this.#run();
  };

  readonly #turnByMacrotask = (): void => {
    this.#microtaskTurns = 0;
    if (this.#mode === 'armed') this.#run();
  };

  #run(): void {
    this.#mode = 'running';
    this.turn++;
    const queue = this.#queue;
    const choose = this.#choose;
    const runsMax = this.#runs?.();
    const end = performance.now() + TURN_MS_MAX;
    for (let runs = 0; queue.length > 0; ) {
      const runnable = choose === undefined ? queue.shift() : queue.takeAt(choose(queue.length));
      try {
        runnable.run();
      } catch (error) {
        this.#onFailure(error);
      }
      runs++;
      if (runsMax !== undefined) {
        if (runs >= runsMax) break;
      } else if (runs % RUNS_BETWEEN_LOOKS === 0 && performance.now() >= end) break;
    }
    this.#mode = 'idle';
    if (queue.length === 0) return;
    this.#mode = 'armed';
    setImmediate(this.#turnByMacrotask);
  }
}
