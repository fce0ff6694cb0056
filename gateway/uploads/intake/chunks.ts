/** An object's bytes, read on from where they broke off when the store is away for a moment. */
import { backoffMs } from '../../../runtime/retry.js';
import { ObjectStoreUnavailableError } from '../../../storage/objects/errors.js';
import type { ObjectStore } from '../../../storage/objects/object-store.js';
import { STORE_RETRY } from './retrying.js';

/** @throws what the store throws; ObjectStoreUnavailableError only when it keeps coming without a byte between */
export async function* chunksOf(store: ObjectStore, key: string): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (let failures = 1; ; failures++) {
    try {
      for await (const chunk of (await store.read(key, { start })) as AsyncIterable<Uint8Array>) {
        start += chunk.byteLength;
        failures = 0;
        yield chunk;
      }
      return;
    } catch (error) {
      if (!(error instanceof ObjectStoreUnavailableError) || failures >= STORE_RETRY.attemptsMax) throw error;
      const delayMs = backoffMs(Math.max(failures, 1), STORE_RETRY, Math.random);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
}
