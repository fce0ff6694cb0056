/** The body is read and thrown away, but for what it comes to: whether a request that is sent again has the same file. */
import { FileCheck } from './file-check.js';
import { readForm } from './form.js';
import type { IntakeJob, IntakeResult } from './intake.js';
import type { JobParts } from './job.js';

/** @throws Refusal, IntakeAbortedError */
export async function takeDigest(
  { contentType, limits }: IntakeJob & { kind: 'digest' },
  { body }: JobParts,
): Promise<IntakeResult> {
  const check = new FileCheck(limits);
  if (contentType === undefined) {
    for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next())
      await check.add(chunk);
  } else {
    await readForm({ contentType, limits }, body, (chunk) => check.add(chunk));
  }
  const { bytes, sha256 } = await check.finish();
  return { outcome: 'digested', bytes, sha256 };
}
