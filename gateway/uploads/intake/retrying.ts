/**
 * Calls of the object store, tried again while it is away: what a call needs is still there, and each of them may be made twice.
 * What `ObjectWriter` does for its own calls, for those beside it.
 */
import { backoffMs, type RetryPolicy } from '../../../runtime/retry.js';
import { ObjectStoreUnavailableError } from '../../../storage/objects/errors.js';

const RETRY: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 200, delayMsMax: 5_000 };

/** One outage: from its first failure on, it may last `msMax`. */
export class Outage {
  readonly #msMax: number;
  #failures = 0;
  #sinceMs = 0;

  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /** Resolves when it is time to try again. @throws `error`, when it is of another kind or the outage has lasted too long */
  async endure(error: unknown): Promise<void> {
    if (!(error instanceof ObjectStoreUnavailableError)) throw error;
    this.#failures++;
    if (this.#failures === 1) this.#sinceMs = performance.now();
    const delayMs = backoffMs(this.#failures, RETRY, Math.random);
    if (performance.now() + delayMs - this.#sinceMs > this.#msMax) throw error;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }

  /** Something came of it. */
  over(): void {
    this.#failures = 0;
  }
}

/** @throws what `call` throws; ObjectStoreUnavailableError only when it has lasted for `outageMsMax` */
export async function retrying<T>(outageMsMax: number, call: () => Promise<T>): Promise<T> {
  const outage = new Outage(outageMsMax);
  for (;;) {
    try {
      return await call();
    } catch (error) {
      await outage.endure(error);
    }
  }
}
