/**
 * The upload actor: rows of a stored file in, debtors and rejects out.
 *
 * A message says little; the row in `uploads` says what is to be done:
 *
 * | state        | the actor                                                                                  |
 * |--------------|--------------------------------------------------------------------------------------------|
 * | `stored`     | begins, if the file is to be processed                                                      |
 * | `processing` | goes on at the checkpoint, for a slice of time; then a message to itself queues the rest     |
 * | `cancelling` | takes back what was written                                                                 |
 * | any other    | does nothing: the message came twice, or too late                                           |
 *
 * What a failure means:
 * - the file is to blame: the upload is `failed`, and the client told why; rows up to there stay
 * - the object store or Postgres is away: thrown, and the runtime delivers again when it is back; the checkpoint stands
 * - IBANs are sealed with a key that this node was not given: the same
 * - another node has the upload's partition by now: the same, until this one has noticed
 * - anything else, a cancellation meanwhile too: tried again, and a dead letter in the end; but after a batch was written the count of
 *   tries begins anew
 */
import { defineActor } from '../../runtime/actor.js';
import { OutageError, TetherError } from '../../runtime/errors.js';
import type { Logger } from '../../runtime/logger.js';
import { standBack } from '../../runtime/thread-priority.js';
import { openObjectStore } from '../../storage/objects/open.js';
import { type HoldEpochs, holdEpochs } from '../../storage/postgres/fence.js';
import { createPool } from '../../storage/postgres/pool.js';
import { ibanKeysOf } from '../ibans/setting.js';
import { FileFailure } from './file-failure.js';
import { isFinal, type UploadMessage } from './model.js';
import { processSlice, type SliceResources } from './process.js';
import { fillUploadSettings } from './settings.js';
import { takeBack } from './take-back.js';
import { beginWork, failWork, finishCancel, loadWork, type Work } from './work.js';
import { UploadMovedError } from './write/write-batch.js';

export interface UploadResources extends SliceResources {
  readonly sliceMs: number;
  /** Identity of the log, when many nodes read it. */
  readonly fencedBy?: string | undefined;
}

/** At work at once in all threads of a node: each takes up to 15 MiB of a thread's heap, and they may all be in one. */
const CONCURRENCY_MAX = 4;

export default defineActor<UploadMessage, undefined, UploadResources>({
  type: 'upload',
  scope: 'key',
  limits: { concurrencyMax: CONCURRENCY_MAX, within: 'node' },

  async open({ settings, logger }) {
    const { databaseUrl, objects, connectionsMax, sliceMs, batchRows, fencedBy, ibanKeys } =
      fillUploadSettings(settings);
    // Nobody waits for a row as a sender waits for an acknowledgement.
    standBack(logger);
    const store = await openObjectStore(objects, logger);
    return {
      pool: createPool({ url: databaseUrl, connectionsMax, applicationName: 'tether-upload', logger }),
      objects: store,
      sliceMs,
      batchRows,
      fencedBy,
      ibanKeys: ibanKeysOf(ibanKeys),
    };
  },

  async close({ pool, objects }) {
    await Promise.all([pool.end(), objects.close()]);
  },

  async receive(_messages, { actor, key, epochs, resources, signal, self, logger }) {
    const { fencedBy } = resources;
    const hold: HoldEpochs | undefined =
      fencedBy === undefined ? undefined : (transaction) => holdEpochs(transaction, fencedBy, actor, epochs);
    const end = performance.now() + resources.sliceMs;
    const isTimeOver = () => signal.aborted || performance.now() >= end;
    const outcome = await handleUpload(key, { ...resources, hold }, isTimeOver, logger);
    if (outcome === 'paused') await self.tellDurably({ type: 'process' });
  },
});

/** What the actor does, with nothing of the runtime. `paused`: there is more to do, at another time. */
export async function handleUpload(
  id: string,
  resources: UploadResources,
  isTimeOver: () => boolean,
  logger: Logger,
): Promise<'done' | 'paused'> {
  const work = await loadWork(resources.pool, id);
  if (work === undefined || work.state === 'receiving' || isFinal(work.state)) return 'done';
  if (work.state === 'cancelling') return cancel(work, resources, isTimeOver);
  if (!work.process) return 'done';

  let batches = 0;
  try {
    if (work.state === 'stored') await beginWork(resources.pool, id);
    return await processOrFail(work, resources, isTimeOver, () => {
      batches++;
    });
  } catch (error) {
    if (batches === 0 || error instanceof OutageError || !(error instanceof TetherError && error.retryable))
      throw error;
    // As a message of its own it has all its tries before it again. One that was cancelled meanwhile is seen to by it too.
    const level = error instanceof UploadMovedError ? 'debug' : 'warn';
    logger[level]({ error: error.message, upload: id }, 'an upload is interrupted, and goes on');
    return 'paused';
  }
}

async function processOrFail(
  work: Work,
  resources: UploadResources,
  isTimeOver: () => boolean,
  onBatch: () => void,
): Promise<'done' | 'paused'> {
  try {
    const end = await processSlice(work, resources, { isTimeOver, onBatch });
    return end === 'paused' ? 'paused' : 'done';
  } catch (error) {
    if (!(error instanceof FileFailure)) throw error;
    await failWork(resources.pool, work.id, error.reason, error.message);
    return 'done';
  }
}

async function cancel(
  work: Work,
  { pool }: UploadResources,
  isTimeOver: () => boolean,
): Promise<'done' | 'paused'> {
  const left = await takeBack(pool, work, isTimeOver);
  if (left === undefined) return 'paused';
  await finishCancel(pool, work.id, left);
  return 'done';
}
