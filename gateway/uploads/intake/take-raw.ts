/** The body is the file. */
import { FileCheck } from './file-check.js';
import type { IntakeJob, IntakeResult } from './intake.js';
import { type JobParts, withWriter } from './job.js';
import { Refusal } from './refusal.js';

/** @throws Refusal, IntakeAbortedError, what the store throws */
export function takeRaw(job: IntakeJob & { kind: 'raw' }, parts: JobParts): Promise<IntakeResult> {
  return withWriter(parts, job.objectKey, async (writer) => {
    const check = new FileCheck(job.limits);
    for (let chunk = await parts.body.next(); chunk !== undefined; chunk = await parts.body.next()) {
      await check.add(chunk);
      await writer.write(chunk);
    }
    const file = await check.finish();
    if (job.sha256 !== undefined && job.sha256 !== file.sha256) {
      throw new Refusal('wrong-checksum', 'the body has another SHA-256 than was announced');
    }
    await writer.finish();
    return { outcome: 'stored', ...file };
  });
}
