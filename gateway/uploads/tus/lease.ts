/**
 * A lease while its holder is at work.
 *
 * ```
 * held --renewal refused, or none for LEASE_MS--> lost
 *   `--------stop()--------> stopped
 * ```
 * An outage of the database shorter than the lease goes unnoticed. Lost, somebody else may write: the holder is told once, and stops.
 */
import { type Clock, systemClock } from '../../../runtime/clock.js';
import { LEASE_MS } from './table.js';

export const RENEW_MS = 3_000;

type Mode = 'held' | 'lost' | 'stopped';

export class HeldLease {
  readonly #renew: () => Promise<boolean>;
  readonly #onLost: () => void;
  readonly #clock: Clock;
  #mode: Mode = 'held';
  #renewedMs: number;
  #cancel: () => void;

  /** @param renew false: the lease is not ours any more */
  constructor(renew: () => Promise<boolean>, onLost: () => void, clock: Clock = systemClock) {
    this.#renew = renew;
    this.#onLost = onLost;
    this.#clock = clock;
    this.#renewedMs = clock.now();
    this.#cancel = this.#schedule();
  }

  stop(): void {
    if (this.#mode === 'held') this.#mode = 'stopped';
    this.#cancel();
  }

  #schedule(): () => void {
    return this.#clock.after(RENEW_MS, () => void this.#tick());
  }

  async #tick(): Promise<void> {
    const startMs = this.#clock.now();
    let isOurs: boolean;
    try {
      isOurs = await this.#renew();
      if (isOurs) this.#renewedMs = startMs;
    } catch {
      // The next one may succeed; what was to be saved says what is wrong with the database.
      isOurs = this.#clock.now() - this.#renewedMs < LEASE_MS;
    }
    if (this.#mode !== 'held') return;
    if (isOurs) {
      this.#cancel = this.#schedule();
    } else {
      this.#mode = 'lost';
      this.#onLost();
    }
  }
}
