/**
 * What is done with one record is done one after another: a file and what the memory knows of it change together. Different
 * records do not wait for each other. Whoever closes a store waits for what is under way, and nothing begins afterwards.
 */
import { FolderClosedError } from './errors.js';

/** Of one call that does something to many records: more would only fill the thread pool and the table of open files. */
const AT_ONCE_MAX = 32;

export class Turns {
  /** The last of each record's; a bounded number, by the callers. */
  readonly #last = new Map<string, Promise<unknown>>();
  #closed: string | undefined;

  /** @throws FolderClosedError, and what `work` throws */
  async run<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.assertOpen();
    const before = this.#last.get(id);
    const turn = before === undefined ? work() : before.then(work, work);
    this.#last.set(id, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(id) === turn) this.#last.delete(id);
    }
  }

  /** @throws FolderClosedError */
  assertOpen(): void {
    if (this.#closed !== undefined) throw new FolderClosedError(this.#closed);
  }

  /** Idempotent; the first reason stays. Never rejects. */
  async close(reason: string): Promise<void> {
    this.#closed ??= reason;
    await Promise.allSettled(this.#last.values());
  }
}

/** The results of `work` for each item, in order, a bounded number of them at once. Rejects after all have ended. */
export async function forEachBounded<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  let failed: { readonly error: unknown } | undefined;
  for (let from = 0; from < items.length; from += AT_ONCE_MAX) {
    const ends = await Promise.allSettled(items.slice(from, from + AT_ONCE_MAX).map(work));
    for (const end of ends) {
      if (end.status === 'fulfilled') results.push(end.value);
      else failed ??= { error: end.reason };
    }
  }
  if (failed !== undefined) throw failed.error;
  return results;
}
