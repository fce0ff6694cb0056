/**
 * From an object that is whole to an upload that is acknowledged, in steps of which each can be found done:
 *
 * | a crash behind                     | leaves                               | who comes next (PATCH, HEAD, a sweep) does           |
 * |------------------------------------|--------------------------------------|------------------------------------------------------|
 * | bytes saved, all of the length     | row open, `received` is `length`     | makes the object of what is there                    |
 * | 1. the object is whole             | row open, lease abandoned            | finds the object, reads it for its hash, goes on at 2 |
 * | 2. upload `stored`                 | row open, upload `stored`            | goes on at 3                                         |
 * | 3. message on the log              | the same                             | says it again: the actor does what is done only once |
 * | 4. row complete                    | all is done                          | answers                                              |
 *
 * Offset and length are equal in an answer only behind 4, since a client that reads that does not come back.
 */
import { randomUUID } from 'node:crypto';
import type { RefusalError } from '../handle.js';
import type { IntakeResult, IntakeStream } from '../intake/intake.js';
import { gone, refusal } from './answers.js';
import { clearForgotten, clearLeft, discard, giveUp, type TusParts } from './give-up.js';
import { HeldLease } from './lease.js';
import type { TusUpload } from './table.js';

type Stored = Pick<Extract<IntakeResult, { readonly outcome: 'stored' }>, 'bytes' | 'sha256' | 'mediaType'>;

/**
 * Steps 2 to 4.
 * @returns when it expires; only a part does
 * @throws RefusalError 410 when it was given up meanwhile
 */
export async function finish(parts: TusParts, upload: TusUpload, stored: Stored): Promise<Date | undefined> {
  const { uploads } = parts.context;
  const { uploadId } = upload;
  if (uploadId !== undefined) {
    const { bytes, sha256, mediaType } = stored;
    if (mediaType === undefined) throw new TypeError('a file that was stored without being looked at');
    const changed = await uploads.stored(uploadId, { bytes, sha256, mediaType });
    // Not receiving any more: another writer was at this point too, or it was cancelled.
    if (changed === undefined && (await uploads.get(uploadId))?.storedAt === undefined) {
      throw await tooLate(parts, upload);
    }
  }
  return finishStored(parts, upload, stored.bytes);
}

/** Steps 3 and 4. */
async function finishStored(parts: TusParts, upload: TusUpload, bytes: number): Promise<Date | undefined> {
  const { context, table } = parts;
  const { id, uploadId, objectKey, append, lease } = upload;
  const known = uploadId === undefined ? undefined : await context.uploads.get(uploadId);
  if (known?.state === 'stored' && known.process) await context.enqueue(known.id, 'process');
  // One that came in one request, and found no trace of another, left nothing.
  if (append.received > 0 || lease === 'abandoned') await clearLeft(parts, objectKey);
  const { saved, expiresAt } = await table.complete(id, bytes);
  // What was stored is the upload's from now on; a part that was given up meanwhile is nobody's.
  if (!saved && known === undefined && (await table.find(id))?.state !== 'complete') {
    throw await tooLate(parts, upload);
  }
  return expiresAt;
}

/** The object is whole, and whoever gave the upload up has not seen it. */
async function tooLate(parts: TusParts, upload: TusUpload): Promise<RefusalError> {
  await giveUp(parts, upload, CANCELLED);
  await discard(parts, upload);
  return gone();
}

/** What an upload that nobody writes to has come to; it may have been left at any of the points above. */
export async function settled(parts: TusParts, upload: TusUpload): Promise<TusUpload | undefined> {
  const { table } = parts;
  if (upload.isOrphan && upload.lease !== 'held') await giveUp(parts, upload, CANCELLED);
  else if (upload.state !== 'open' || upload.lease === 'held') return upload;
  else if (upload.uploadState !== undefined && upload.uploadState !== 'receiving') {
    await settleOutrun(parts, upload);
  } else if (upload.concat !== 'final' && (upload.lease === 'abandoned' || isWhole(upload))) {
    const lease = randomUUID();
    const taken = await table.take(upload.id, lease);
    if (taken !== undefined) await underLease(parts, taken, lease, () => recover(parts, taken, lease));
  } else {
    return upload;
  }
  return table.find(upload.id);
}

/** The upload is ahead of the row: it was stored, is over, or was removed. */
export async function settleOutrun(parts: TusParts, upload: TusUpload): Promise<void> {
  const known = upload.uploadId === undefined ? undefined : await parts.context.uploads.get(upload.uploadId);
  if (known?.storedAt !== undefined) await finishStored(parts, upload, known.bytes);
  else if (known?.state !== 'receiving') await giveUp(parts, upload, CANCELLED);
}

/**
 * Under the lease: goes on where a writer before may have ended. True when the upload is complete.
 * @throws RefusalError when it turns out that it never can be
 */
export async function recover(parts: TusParts, taken: TusUpload, lease: string): Promise<boolean> {
  const { objects, intake, limits } = parts.context;
  const { objectKey, length, append } = taken;
  const found = taken.lease === 'abandoned' ? await objects.stat(objectKey) : undefined;
  const isPart = taken.concat === 'partial';
  if (found !== undefined && isPart) {
    await finish(parts, taken, { bytes: found.bytes, sha256: '', mediaType: undefined });
    return true;
  }
  if (found === undefined && !isWhole(taken)) {
    await clearForgotten(parts, taken, taken.append);
    return false;
  }
  const stream = intake.open(
    found === undefined
      ? {
          kind: 'append',
          objectKey,
          limits,
          from: append,
          partial: isPart,
          overtakes: taken.lease === 'abandoned',
          ...(length === undefined ? {} : { length }),
        }
      : { kind: 'inspect', objectKey, limits },
  );
  stream.end();
  const result = await withLease(parts, taken, lease, stream);
  if (result.outcome === 'refused') {
    await giveUp(parts, taken, result);
    throw refusal(result);
  }
  if (result.outcome !== 'stored') throw new TypeError(`an upload that is whole was ${result.outcome}`);
  await finish(parts, taken, result);
  return true;
}

/** The result of a stream while the lease is renewed; when it is lost, the stream is given up. */
export async function withLease(
  { table }: TusParts,
  { id }: TusUpload,
  lease: string,
  stream: IntakeStream,
  renew: () => Promise<boolean> = async () => (await table.renew(id, lease)) !== 'lost',
): Promise<IntakeResult> {
  const held = new HeldLease(renew, () => stream.abort());
  try {
    return await stream.result;
  } finally {
    held.stop();
  }
}

/** Runs `work`, and lets the lease go: given back when it resolves, abandoned when nobody knows what the store has. */
async function underLease(
  { table }: TusParts,
  { id }: TusUpload,
  lease: string,
  work: () => Promise<boolean>,
): Promise<void> {
  try {
    await work();
    await table.release(id, lease);
  } catch (error) {
    await table.abandon(id, lease);
    throw error;
  }
}

export function isWhole({ length, append }: TusUpload): boolean {
  return length !== undefined && length === append.received;
}

const CANCELLED = { code: 'cancelled', detail: 'the upload was cancelled while it came in' };
