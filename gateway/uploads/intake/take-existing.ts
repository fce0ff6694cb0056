/** No body: what is in the store already is read. Between two chunks it is looked whether the job has been given up. */
import { ObjectNotFoundError } from '../../../storage/objects/errors.js';
import { chunksOf } from './chunks.js';
import { assertSize, FileCheck } from './file-check.js';
import type { IntakeJob, IntakeResult } from './intake.js';
import { type JobParts, withWriter } from './job.js';
import { Refusal } from './refusal.js';
import { retrying } from './retrying.js';

/** Refused, the object is gone. @throws Refusal, IntakeAbortedError, what the store throws */
export async function inspect(
  { objectKey, limits }: IntakeJob & { kind: 'inspect' },
  parts: JobParts,
): Promise<IntakeResult> {
  const { store, body, outageMsMax } = parts;
  try {
    const stat = await retrying(outageMsMax, () => store.stat(objectKey));
    if (stat === undefined) throw new ObjectNotFoundError('the object is not there');
    // Before a byte of it is read.
    assertSize(stat.bytes, undefined, limits);
    const check = new FileCheck(limits);
    for await (const chunk of chunksOf(parts, objectKey)) {
      body.check();
      await check.add(chunk);
    }
    return { outcome: 'stored', ...(await check.finish()) };
  } catch (error) {
    if (error instanceof Refusal) await retrying(outageMsMax, () => store.delete(objectKey));
    throw error;
  }
}

/** The sources stay. @throws Refusal, IntakeAbortedError, what the store throws */
export function concatenate(
  { objectKey, limits, sources }: IntakeJob & { kind: 'concatenate' },
  parts: JobParts,
): Promise<IntakeResult> {
  return withWriter(parts, objectKey, async (writer) => {
    const check = new FileCheck(limits);
    for (const source of sources) {
      for await (const chunk of chunksOf(parts, source)) {
        parts.body.check();
        await check.add(chunk);
        await writer.write(chunk);
      }
    }
    const file = await check.finish();
    await writer.finish();
    return { outcome: 'stored', ...file };
  });
}
