/**
 * Calls of the object store, tried again when it is away for a moment: a part is still in memory, and putting it again replaces it.
 */
import { backoffMs, type RetryPolicy } from '../../../runtime/retry.js';
import { ObjectStoreUnavailableError } from '../../../storage/objects/errors.js';

export const STORE_RETRY: RetryPolicy = { attemptsMax: 5, delayMs: 200, delayMsMax: 3_000 };
/** The store's own deadlines are long: no new attempt begins after this. */
const RETRY_MS_MAX = 45_000;

/** @throws what `call` throws; ObjectStoreUnavailableError only when it keeps coming */
export async function retrying<T>(call: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  for (let failures = 1; ; failures++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ObjectStoreUnavailableError)) throw error;
      if (failures >= STORE_RETRY.attemptsMax || performance.now() - startMs > RETRY_MS_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, backoffMs(failures, STORE_RETRY, Math.random)));
    }
  }
}
