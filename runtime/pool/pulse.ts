/**
 * Whether a worker thread's event loop still turns. The thread counts up a number that both sides share; the main thread looks
 * whether it moves. An endless loop in an actor can neither answer nor end itself, and a ping to it would only wait in its port.
 *
 * The main thread counts looks, not time: after a machine was suspended, a thread has had as little time as the watch.
 */
import type { Clock } from '../clock.js';

/** At most so long between two beats. */
const BEAT_MS_MAX = 1_000;

function beatMs(blockedMsMax: number): number {
  return Math.min(BEAT_MS_MAX, blockedMsMax / 4);
}

/** Beats until the returned function is called. In the thread. */
export function startPulse(pulse: Int32Array, blockedMsMax: number): () => void {
  const beat = () => void Atomics.add(pulse, 0, 1);
  beat();
  const timer = setInterval(beat, beatMs(blockedMsMax));
  return () => clearInterval(timer);
}

/** Watches one thread. In the main thread. */
export class PulseWatch {
  /** For the thread. */
  readonly pulse = new Int32Array(new SharedArrayBuffer(4));
  readonly #clock: Clock;
  readonly #lookMs: number;
  readonly #stillLooksMax: number;
  readonly #onBlocked: () => void;
  #seen = 0;
  #stillLooks = 0;
  #cancel: () => void;

  /**
   * Calls `onBlocked`, once, when the pulse has stood still for `blockedMsMax`, and up to a half more. Until the first beat the
   * thread is starting, which takes as long as it takes.
   */
  constructor(clock: Clock, blockedMsMax: number, onBlocked: () => void) {
    this.#clock = clock;
    this.#lookMs = beatMs(blockedMsMax);
    this.#stillLooksMax = Math.ceil(blockedMsMax / this.#lookMs) + 1;
    this.#onBlocked = onBlocked;
    this.#cancel = clock.after(this.#lookMs, this.#look);
  }

  stop(): void {
    this.#cancel();
  }

  readonly #look = (): void => {
    const beats = Atomics.load(this.pulse, 0);
    this.#stillLooks = beats > 0 && beats === this.#seen ? this.#stillLooks + 1 : 0;
    this.#seen = beats;
    if (this.#stillLooks >= this.#stillLooksMax) this.#onBlocked();
    else this.#cancel = this.#clock.after(this.#lookMs, this.#look);
  };
}
