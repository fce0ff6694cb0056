/**
 * Spares a target that is down: after so many failures in a row it rests, then one delivery tries whether it is back.
 *
 * Modes:
 *   closed --failures in a row, or told to rest--> resting --time over, one is admitted--> trying
 *   trying --it succeeds--> closed
 *   trying --it fails--> resting, for twice as long, up to a limit
 *   trying --it ends without either--> resting, for no time
 */
export interface BreakerSettings {
  readonly failures: number;
  readonly restSeconds: number;
  readonly restSecondsMax: number;
}

/** How an admitted delivery ended: `neutral` says nothing about the target. */
export type Verdict = 'success' | 'failure' | 'neutral';

export class Breaker {
  readonly #settings: BreakerSettings;
  #mode: 'closed' | 'resting' | 'trying' = 'closed';
  #failures = 0;
  #rests = 0;
  #restsUntil = 0;

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
  }

  get isClosed(): boolean {
    return this.#mode === 'closed';
  }

  /** 0: go on, and tell how it ended by `ended`. Else milliseconds after which to ask again. */
  admit(now: number): number {
    if (this.#mode === 'closed') return 0;
    if (this.#mode === 'trying') return Math.max(1_000, this.#settings.restSeconds * 1_000);
    if (now < this.#restsUntil) return this.#restsUntil - now;
    this.#mode = 'trying';
    return 0;
  }

  /** @returns whether the target begins to rest, after it did not */
  ended(verdict: Verdict, now: number): boolean {
    if (verdict === 'success') {
      this.#mode = 'closed';
      this.#failures = 0;
      this.#rests = 0;
      return false;
    }
    if (verdict === 'neutral') {
      if (this.#mode === 'trying') this.#rest(now);
      return false;
    }
    if (this.#mode === 'resting') return false;
    if (this.#mode === 'closed' && ++this.#failures < this.#settings.failures) return false;
    const isNew = this.#mode === 'closed';
    const { restSeconds, restSecondsMax } = this.#settings;
    this.#rest(now + 1_000 * Math.min(restSecondsMax, restSeconds * 2 ** Math.min(this.#rests++, 20)));
    return isNew;
  }

  /** The target asks for it. */
  restFor(ms: number, now: number): void {
    this.#rest(Math.max(this.#restsUntil, now + ms));
  }

  #rest(until: number): void {
    this.#mode = 'resting';
    this.#restsUntil = until;
  }
}
