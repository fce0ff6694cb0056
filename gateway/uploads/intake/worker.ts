/**
 * A stream's task in an intake thread; loaded by Piscina. The store and the memory for parts are the thread's, for all of its streams.
 */
import { workerData } from 'node:worker_threads';
import { systemClock } from '../../../runtime/clock.js';
import { standBack } from '../../../runtime/thread-priority.js';
import {
  ObjectNotFoundError,
  ObjectRefusedError,
  ObjectStoreUnavailableError,
} from '../../../storage/objects/errors.js';
import { openObjectStore } from '../../../storage/objects/open.js';
import { PartBudget } from '../../../storage/objects/part-budget.js';
import { Body } from './body.js';
import { IntakeAbortedError } from './errors.js';
import type { IntakeJob, IntakeResult } from './intake.js';
import type { JobParts } from './job.js';
import type { FailureKind, IntakeOutcome, IntakeTask, ThreadSettings } from './protocol.js';
import { Refusal } from './refusal.js';
import { append } from './take-append.js';
import { takeDigest } from './take-digest.js';
import { concatenate, inspect } from './take-existing.js';
import { takeForm } from './take-form.js';
import { takeRaw } from './take-raw.js';

const { objects, outageMsMax, partBytesMax } = workerData as ThreadSettings;
// A webhook's acknowledgement goes before a file's next part.
standBack();
const store = await openObjectStore(objects);
const budget = new PartBudget(partBytesMax, systemClock);

export default async function intake({ job, port }: IntakeTask): Promise<IntakeOutcome> {
  const body = new Body(port, job.kind === 'append');
  try {
    return {
      type: 'result',
      result: await run(job, { store, budget, clock: systemClock, outageMsMax, body }),
    };
  } catch (error) {
    if (error instanceof Refusal) {
      return { type: 'result', result: { outcome: 'refused', code: error.code, detail: error.message } };
    }
    const message = error instanceof Error ? error.message : String(error);
    return { type: 'failure', kind: kindOf(error), message };
  } finally {
    body.close();
  }
}

function run(job: IntakeJob, parts: JobParts): Promise<IntakeResult> {
  switch (job.kind) {
    case 'raw':
      return takeRaw(job, parts);
    case 'form':
      return takeForm(job, parts);
    case 'digest':
      return takeDigest(job, parts);
    case 'append':
      return append(job, parts);
    case 'inspect':
      return inspect(job, parts);
    case 'concatenate':
      return concatenate(job, parts);
  }
}

function kindOf(error: unknown): FailureKind {
  if (error instanceof IntakeAbortedError) return 'aborted';
  if (error instanceof ObjectStoreUnavailableError) return 'unavailable';
  if (error instanceof ObjectNotFoundError) return 'not-found';
  if (error instanceof ObjectRefusedError) return 'refused';
  return 'failed';
}
