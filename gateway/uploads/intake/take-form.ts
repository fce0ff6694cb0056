/** The body is multipart/form-data with one file, and fields before or behind it. */
import { type CheckedFile, FileCheck } from './file-check.js';
import { readForm } from './form.js';
import type { IntakeJob, IntakeResult } from './intake.js';
import { type JobParts, withWriter } from './job.js';

/** @throws Refusal, IntakeAbortedError, what the store throws */
export function takeForm(job: IntakeJob & { kind: 'form' }, parts: JobParts): Promise<IntakeResult> {
  return withWriter(parts, job.objectKey, async (writer) => {
    const check = new FileCheck(job.limits);
    const { filename, fields } = await readForm(job, parts.body, async (chunk) => {
      await check.add(chunk);
      await writer.write(chunk);
    });
    const file: CheckedFile = await check.finish();
    await writer.finish();
    return { outcome: 'stored', ...file, ...(filename === undefined ? {} : { filename }), fields };
  });
}
