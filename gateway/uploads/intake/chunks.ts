/** An object's bytes, read on from where they broke off when the store is away for a moment. */
import type { JobParts } from './job.js';
import { Outage } from './retrying.js';

/** @throws what the store throws; ObjectStoreUnavailableError only when it has lasted without a byte between */
export async function* chunksOf(
  { store, outageMsMax }: Pick<JobParts, 'store' | 'outageMsMax'>,
  key: string,
): AsyncGenerator<Uint8Array> {
  const outage = new Outage(outageMsMax);
  for (let start = 0; ; ) {
    try {
      for await (const chunk of (await store.read(key, { start })) as AsyncIterable<Uint8Array>) {
        start += chunk.byteLength;
        outage.over();
        yield chunk;
      }
      return;
    } catch (error) {
      await outage.endure(error);
    }
  }
}
