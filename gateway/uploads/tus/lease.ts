/**
 * A lease while its holder is at work.
 *
 * ```
 * held --renewal refused, or none for LEASE_MS--> lost
 *   `--------stop()--------> stopped
 * ```
 * An outage of the database shorter than the lease goes unnoticed. Lost, somebody else may write: the holder is told once, and stops.
 */
import { LEASE_MS } from './table.js';

export const RENEW_MS = 5_000;

type Mode = 'held' | 'lost' | 'stopped';

export class HeldLease {
  readonly #renew: () => Promise<boolean>;
  readonly #onLost: () => void;
  #mode: Mode = 'held';
  #renewedMs = performance.now();
  #timer: NodeJS.Timeout;

  /** @param renew false: the lease is not ours any more */
  constructor(renew: () => Promise<boolean>, onLost: () => void) {
    this.#renew = renew;
    this.#onLost = onLost;
    this.#timer = this.#schedule();
  }

  get isLost(): boolean {
    return this.#mode === 'lost';
  }

  stop(): void {
    if (this.#mode === 'held') this.#mode = 'stopped';
    clearTimeout(this.#timer);
  }

  #schedule(): NodeJS.Timeout {
    return setTimeout(() => void this.#tick(), RENEW_MS);
  }

  async #tick(): Promise<void> {
    const startMs = performance.now();
    let isOurs = startMs - this.#renewedMs < LEASE_MS - RENEW_MS;
    try {
      isOurs = await this.#renew();
      if (isOurs) this.#renewedMs = startMs;
    } catch {
      // The next one may succeed; what was to be saved says what is wrong with the database.
    }
    if (this.#mode !== 'held') return;
    if (isOurs) {
      this.#timer = this.#schedule();
    } else {
      this.#mode = 'lost';
      this.#onLost();
    }
  }
}
