/**
 * Where a group commit waits for the disk: on the main thread (`inline`) or in the thread pool (`pool`).
 *
 * Inline is faster while the disk is fast: no hop between threads, and one sync for a whole turn of the event loop
 * (measured with an fdatasync of 0.1 ms: a lone durable answer 0.22 ms instead of 0.28 ms). On a slow disk it would stop
 * every socket of the process for the length of a sync. So:
 *
 * - `inline` -> `pool` when the moving average of sync times rises over `inlineUsMax`;
 * - `pool` -> `inline` when the average, which in the pool includes the hop and so never flatters the disk, falls under
 *   half of it; or when a probe, one inline sync after `probeMsMin`, is fast. A slow probe doubles the time to the next,
 *   up to `probeMsMax`.
 */
export type SyncMode = 'inline' | 'pool';

export interface SyncPolicyOptions {
  readonly inlineUsMax: number;
  readonly probeMsMin: number;
  readonly probeMsMax: number;
}

export const DEFAULT_SYNC_POLICY: SyncPolicyOptions = {
  inlineUsMax: 1_000,
  probeMsMin: 1_000,
  probeMsMax: 16_000,
};

/** Weight of the latest sync in the average: a lone outlier of 8 times the limit moves the sync to the pool. */
const WEIGHT = 1 / 8;

export class SyncPolicy {
  readonly #options: SyncPolicyOptions;
  #mode: SyncMode = 'inline';
  #ewmaUs = 0;
  #lastUs = 0;
  #probeMs: number;
  #probeAtUs = 0;

  constructor(options: SyncPolicyOptions) {
    this.#options = options;
    this.#probeMs = options.probeMsMin;
  }

  get mode(): SyncMode {
    return this.#mode;
  }

  get ewmaUs(): number {
    return this.#ewmaUs;
  }

  get lastUs(): number {
    return this.#lastUs;
  }

  /** How to do the next sync. */
  choose(nowUs: number): SyncMode {
    return this.#mode === 'pool' && nowUs < this.#probeAtUs ? 'pool' : 'inline';
  }

  /** Takes note of a sync that was done as `choose` said. */
  record(done: SyncMode, tookUs: number, nowUs: number): void {
    const { inlineUsMax, probeMsMin, probeMsMax } = this.#options;
    const probe = this.#mode === 'pool' && done === 'inline';
    this.#lastUs = tookUs;
    this.#ewmaUs = probe ? tookUs : this.#ewmaUs + (tookUs - this.#ewmaUs) * WEIGHT;
    if (this.#mode === 'inline') {
      if (this.#ewmaUs > inlineUsMax) this.#toPool(nowUs, probeMsMin);
    } else if (this.#ewmaUs < (probe ? inlineUsMax : inlineUsMax / 2)) {
      this.#mode = 'inline';
    } else if (probe) {
      this.#toPool(nowUs, Math.min(this.#probeMs * 2, probeMsMax));
    }
  }

  #toPool(nowUs: number, probeMs: number): void {
    this.#mode = 'pool';
    this.#probeMs = probeMs;
    this.#probeAtUs = nowUs + probeMs * 1_000;
  }
}
