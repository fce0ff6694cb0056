/**
 * The end of a resumable upload that does not become a file: refused, expired, terminated by its client, cancelled.
 *
 * First the row says so, then the store is emptied, then the row says that it is: a crash in between leaves the row `terminating`, and a
 * sweep goes on there. A writer that is at it finds the row not open when it saves, and takes back what it has put.
 */
import type { UploadState } from '../../../actors/upload/model.js';
import { OutageError } from '../../../runtime/errors.js';
import type { AppendState } from '../intake/intake.js';
import type { UploadParts } from '../parts.js';
import type { TusTable, TusUpload } from './table.js';

export interface TusParts {
  readonly context: UploadParts;
  readonly table: TusTable;
}

/** Why an upload ends as `failed`. */
export interface Failure {
  readonly code: string;
  /** For the client. */
  readonly detail: string;
}

/** Each request leaves one of a kind at most. */
const LEFT_MAX = 1_000;
const UNFINISHED: readonly UploadState[] = ['receiving'];

export async function giveUp(parts: TusParts, upload: TusUpload, failure: Failure): Promise<void> {
  if (await parts.table.terminate(upload.id)) await endTerminating(parts, upload, failure);
}

/** Of a row that is `terminating`; again and again, if need be. An outage of the store leaves the rest to a sweep. */
export async function endTerminating(
  parts: TusParts,
  upload: TusUpload,
  { code, detail }: Failure,
): Promise<void> {
  const { uploads } = parts.context;
  const { uploadId } = upload;
  let isStored = upload.isStored;
  if (uploadId !== undefined) {
    const failed = await uploads.failed(uploadId, UNFINISHED, code, detail);
    isStored = (failed ?? (await uploads.get(uploadId)))?.storedAt !== undefined;
  }
  if (await discard(parts, { ...upload, isStored })) await parts.table.terminated(upload.id);
}

/** Empties the store of an upload that has ended. False: the store is away, and keeps it for now. */
export async function discard(parts: TusParts, upload: TusUpload): Promise<boolean> {
  try {
    await emptyStore(parts, upload);
    return true;
  } catch (error) {
    if (!(error instanceof OutageError)) throw error;
    parts.context.logger.warn(
      { err: error, upload: upload.id },
      'the store keeps what an upload left, for now',
    );
    return false;
  }
}

/** Idempotent. An upload that was stored has its object, and whoever removes it removes that. */
async function emptyStore(parts: TusParts, { objectKey, append, isStored }: TusUpload): Promise<void> {
  const { objects } = parts.context;
  if (append.multipart !== undefined) await objects.abortMultipart(objectKey, append.multipart);
  await clearAround(parts, objectKey);
  if (!isStored) await objects.delete(objectKey);
}

/** Tails and multiparts of an object's key that no row needs any more, whoever left them: some were left by a crash. */
async function clearAround({ context }: TusParts, objectKey: string): Promise<void> {
  const { objects } = context;
  for (const { key } of await objects.list(`${objectKey}.`, { limit: LEFT_MAX })) await objects.delete(key);
  for (const { key, multipart } of await objects.listMultiparts(objectKey, LEFT_MAX)) {
    if (key === objectKey) await objects.abortMultipart(key, multipart);
  }
}

/** The object is whole: all else that has its key goes. Never throws, since it is in nobody's way. */
export async function clearLeft(parts: TusParts, objectKey: string): Promise<void> {
  await quietly(parts, objectKey, () => clearAround(parts, objectKey));
}

/**
 * Before the lease of an abandoned upload is given back: nobody can tell then that a writer has died with it. Whoever sends the rest in one
 * request would leave what that writer had put and not saved. Where the row names something, the end of the upload clears. Never throws.
 */
export async function clearForgotten(
  parts: TusParts,
  { objectKey, lease }: TusUpload,
  { received, multipart, tailKey }: AppendState,
): Promise<void> {
  if (lease !== 'abandoned' || received > 0 || multipart !== undefined || tailKey !== undefined) return;
  await clearLeft(parts, objectKey);
}

/** What a writer has put, or has found, that `row` does not name: its save was refused, or has left it behind. Never throws. */
export async function takeBack(
  parts: TusParts,
  objectKey: string,
  put: Pick<AppendState, 'multipart' | 'tailKey'>,
  row: Pick<AppendState, 'multipart' | 'tailKey'> | undefined,
): Promise<void> {
  const { objects } = parts.context;
  await quietly(parts, objectKey, async () => {
    if (put.tailKey !== undefined && put.tailKey !== row?.tailKey) await objects.delete(put.tailKey);
    if (put.multipart !== undefined && put.multipart !== row?.multipart) {
      await objects.abortMultipart(objectKey, put.multipart);
    }
  });
}

async function quietly({ context }: TusParts, objectKey: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    context.logger.warn({ err: error, objectKey }, 'the store keeps what an upload left, for now');
  }
}
