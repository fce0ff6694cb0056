/** What every kind of job works with, in its thread. */
import type { Clock } from '../../../runtime/clock.js';
import type { ObjectStore } from '../../../storage/objects/object-store.js';
import { ObjectWriter } from '../../../storage/objects/object-writer.js';
import type { PartBudget } from '../../../storage/objects/part-budget.js';
import type { Body } from './body.js';

export interface JobParts {
  readonly store: ObjectStore;
  readonly budget: PartBudget;
  readonly clock: Clock;
  /** How long a store may be away. */
  readonly outageMsMax: number;
  readonly body: Body;
}

/** Runs `fill` with a writer of an object; when it throws, nothing of what was written is left. */
export async function withWriter<T>(
  { store, budget, clock, outageMsMax, body }: JobParts,
  key: string,
  fill: (writer: ObjectWriter) => Promise<T>,
): Promise<T> {
  const writer = new ObjectWriter(store, key, budget, clock, {
    outageMsMax,
    onMultipart: (multipart) => body.say({ type: 'multipart', multipart }),
  });
  try {
    return await fill(writer);
  } finally {
    // Nothing, when it is finished.
    await writer.abort();
  }
}
