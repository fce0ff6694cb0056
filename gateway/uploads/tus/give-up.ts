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
  const { context, table } = parts;
  if (upload.uploadId !== undefined) {
    await context.uploads.failed(upload.uploadId, UNFINISHED, code, detail);
  }
  try {
    await emptyStore(parts, upload);
  } catch (error) {
    if (!(error instanceof OutageError)) throw error;
    context.logger.warn({ err: error, upload: upload.id }, 'the store keeps what an upload left, for now');
    return;
  }
  await table.terminated(upload.id);
}

/** Idempotent. An upload that was stored has its object, and whoever removes it removes that. */
async function emptyStore({ context }: TusParts, upload: TusUpload): Promise<void> {
  const { objects } = context;
  const { multipart, tailKey } = upload.append;
  if (multipart !== undefined) await objects.abortMultipart(upload.objectKey, multipart);
  if (tailKey !== undefined) await objects.delete(tailKey);
  if (!upload.isStored) await objects.delete(upload.objectKey);
}

/** What a writer has put that no row names, because its save was refused. Never throws: it is in nobody's way. */
export async function takeBack(parts: TusParts, upload: TusUpload, put: AppendState): Promise<void> {
  const { objects, logger } = parts.context;
  const before = upload.append;
  try {
    if (put.tailKey !== undefined && put.tailKey !== before.tailKey) await objects.delete(put.tailKey);
    if (put.multipart !== undefined && put.multipart !== before.multipart) {
      await objects.abortMultipart(upload.objectKey, put.multipart);
    }
  } catch (error) {
    logger.warn({ err: error, upload: upload.id }, 'the store keeps what a writer left, for now');
  }
}

/** The object that a tail was in is part of the next one, or of the file. Never throws. */
export async function deleteTail({ context }: TusParts, tailKey: string | undefined): Promise<void> {
  if (tailKey === undefined) return;
  try {
    await context.objects.delete(tailKey);
  } catch (error) {
    context.logger.warn({ err: error, tailKey }, 'the store keeps the tail of an upload, for now');
  }
}
