/** The body is multipart/form-data with one file, and fields before or behind it. */
import { FileCheck } from './file-check.js';
import { readForm } from './form.js';
import type { IntakeJob, IntakeResult } from './intake.js';
import { type JobParts, withWriter } from './job.js';
import { Refusal } from './refusal.js';

/** @throws Refusal, IntakeAbortedError, what the store throws */
export function takeForm(job: IntakeJob & { kind: 'form' }, parts: JobParts): Promise<IntakeResult> {
  return withWriter(parts, job.objectKey, async (writer) => {
    const check = new FileCheck(job.limits);
    const { filename, fields, sha256 } = await readForm(
      { ...job, hashed: job.sha256 !== undefined },
      parts.body,
      async (chunk) => {
        await check.add(chunk);
        await writer.write(chunk);
      },
    );
    if (job.sha256 !== undefined && job.sha256 !== sha256) {
      throw new Refusal('wrong-checksum', 'the body has another SHA-256 than was announced');
    }
    const file = await check.finish();
    await writer.finish();
    return { outcome: 'stored', ...file, ...(filename === undefined ? {} : { filename }), fields };
  });
}
