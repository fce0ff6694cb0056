/**
 * `POST /uploads`: a file in one request.
 *
 * ```
 * row `receiving` -> bytes into the store -> row `stored` -> message on the log -> 201
 * ```
 * The answer leaves when the object is durable, the row says so and the message for the actor is on the log (P1). What fails before
 * leaves nothing but a row in state `failed`; what a crash leaves is found by the sweeper, by the row's last sign of life.
 *
 * An `Idempotency-Key` that is known answers with its upload: the body is read again, and when it has the same bytes, the answer is the
 * same, with `Idempotency-Replayed: true`.
 */
import type { TemplatedApp } from 'uWebSockets.js';
import { cleanFilename } from '../../actors/upload/filename.js';
import { objectKeyOf, type Upload, type UploadState } from '../../actors/upload/model.js';
import type { StoredFile } from '../../actors/upload/uploads.js';
import { type Answer, jsonAnswer } from '../answer.js';
import { problem } from '../problem.js';
import { handleUpload, type UploadRequest } from './handle.js';
import { IntakeAbortedError } from './intake/errors.js';
import type { IntakeJob, IntakeResult, IntakeStream } from './intake/intake.js';
import { uploadJson } from './json.js';
import type { UploadContext } from './parts.js';
import { type PostRequest, readPost } from './post-request.js';
import { receiveBody } from './receive.js';
import { refusalAnswer } from './refusal-answer.js';

type Stored = IntakeResult & { readonly outcome: 'stored' };

const CANCELLED = problem('upload-cancelled', 'the upload was cancelled while it came in');
const LATE = problem('request-timeout', 'the body did not end in time');
const KEY_IN_USE = problem('idempotency-key-in-use', 'the upload of this key is coming in; try again later');
const KEY_REUSED = problem('idempotency-key-reused', 'the key was used for another file');

export function registerPost(app: TemplatedApp, context: UploadContext): void {
  app.post('/uploads', (res, req) =>
    handleUpload(context, res, req, { scope: 'uploads:write' }, (request) => post(context, request)),
  );
}

async function post(context: UploadContext, request: UploadRequest): Promise<Answer | undefined> {
  const wanted = readPost(request.head, request.client, context.limits);
  const id = context.nextId();
  // First of all: when there is no room, there is no row either.
  const stream = context.intake.open(jobOf(wanted, objectKeyOf(id), context));
  let made: Awaited<ReturnType<UploadContext['uploads']['create']>>;
  try {
    made = await context.uploads.create(newUpload(wanted, id, request.client.name));
  } catch (error) {
    stream.abort();
    throw error;
  }
  if (made.outcome === 'created') return take(context, request, wanted, made.upload, stream);
  stream.abort();
  // Its place is that of the one which hashes the body: a second one may never be free.
  await stream.result.catch(() => {});
  return replay(context, request, wanted, made.upload);
}

function jobOf(
  { form, sha256 }: PostRequest,
  objectKey: string,
  { limits }: Pick<UploadContext, 'limits'>,
): IntakeJob {
  const announced = sha256 === undefined ? {} : { sha256 };
  return form === undefined
    ? { kind: 'raw', objectKey, limits, ...announced }
    : { kind: 'form', objectKey, limits, contentType: form, ...announced };
}

function newUpload(
  { form, filename, process, bytesExpected, idempotencyKey }: PostRequest,
  id: string,
  owner: string,
) {
  return {
    id,
    owner,
    via: form === undefined ? 'raw' : 'form',
    filename: filename ?? cleanFilename(''),
    objectKey: objectKeyOf(id),
    process,
    ...(bytesExpected === undefined ? {} : { bytesExpected }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  } as const;
}

async function take(
  context: UploadContext,
  { exchange }: UploadRequest,
  wanted: PostRequest,
  upload: Upload,
  stream: IntakeStream,
): Promise<Answer | undefined> {
  const { id, objectKey } = upload;
  const failed = (code: string, detail: string) => fail(context, id, code, detail);
  let received: Awaited<ReturnType<typeof receiveBody>>;
  try {
    received = await receiveBody({ ...context, receiveMsMax: context.expiryMs }, exchange, stream, id);
  } catch (error) {
    if (error instanceof IntakeAbortedError) {
      await failed('client-gone', 'the client left before the end of the body');
      return undefined;
    }
    await failed('unavailable', 'a part that the upload needed was away');
    throw error;
  }
  if (received.how !== 'done') {
    if (received.isStored) await remove(context, objectKey);
    if (received.how === 'cancelled') return CANCELLED;
    await failed('too-slow', 'the body did not end in time');
    return LATE;
  }
  const { result } = received;
  if (result.outcome === 'refused') {
    await failed(result.code, result.detail);
    return refusalAnswer(result);
  }
  if (result.outcome !== 'stored') throw new TypeError(`a body was ${result.outcome}`);
  return keep(context, wanted, upload, result);
}

/** The object is there: now the row, and the message. What fails here takes the object back. */
async function keep(
  context: UploadContext,
  wanted: PostRequest,
  { id, objectKey }: Upload,
  file: Stored,
): Promise<Answer> {
  let stored: Upload | undefined;
  try {
    stored = await context.uploads.stored(id, storedFile(wanted, file));
  } catch (error) {
    // It may have been written all the same, and then the object belongs to it.
    if (await fail(context, id, 'unavailable', 'the upload could not be written down')) {
      await remove(context, objectKey);
    }
    throw error;
  }
  if (stored === undefined) {
    await remove(context, objectKey);
    return CANCELLED;
  }
  try {
    if (wanted.process) await context.enqueue(id, 'process');
  } catch (error) {
    // With a key the client comes back for it; without, it sends the file again, and this one would be there twice.
    if (wanted.idempotencyKey === undefined) {
      const gone = await fail(context, id, 'unavailable', 'the log did not take the upload', ['stored']);
      if (gone) await remove(context, objectKey);
    }
    throw error;
  }
  return created(context, stored);
}

function storedFile(
  { filename }: PostRequest,
  { bytes, sha256, mediaType, filename: given }: Stored,
): StoredFile {
  if (mediaType === undefined) throw new TypeError('a file of no type was stored');
  const name = filename === undefined && given !== undefined ? { filename: cleanFilename(given) } : {};
  return { bytes, sha256, mediaType, ...name };
}

async function replay(
  context: UploadContext,
  { exchange }: UploadRequest,
  { form }: PostRequest,
  known: Upload,
): Promise<Answer | undefined> {
  if (known.sha256 === undefined) return KEY_IN_USE;
  const { limits } = context;
  const stream = context.intake.open({
    kind: 'digest',
    limits,
    ...(form === undefined ? {} : { contentType: form }),
  });
  try {
    const received = await receiveBody(
      { ...context, receiveMsMax: context.expiryMs },
      exchange,
      stream,
      undefined,
    );
    if (received.how !== 'done') return LATE;
    const { result } = received;
    if (result.outcome !== 'digested' || result.sha256 !== known.sha256) return KEY_REUSED;
  } catch (error) {
    if (error instanceof IntakeAbortedError) return undefined;
    throw error;
  }
  // The answer before may have failed for want of this; the actor knows what it has done.
  if (known.state === 'stored' && known.process) await context.enqueue(known.id, 'process');
  return created(context, known, [['Idempotency-Replayed', 'true']]);
}

function created({ now }: UploadContext, upload: Upload, headers: Answer['headers'] = []): Answer {
  return {
    ...jsonAnswer(uploadJson(upload, now()), '201 Created'),
    headers: [['Location', `/uploads/${upload.id}`], ['Cache-Control', 'no-store'], ...headers],
  };
}

/** Best effort: a row that stays `receiving` without a sign of life is for the sweeper. Whether it is `failed` now. */
async function fail(
  { uploads, logger }: UploadContext,
  id: string,
  code: string,
  detail: string,
  from: readonly UploadState[] = ['receiving'],
): Promise<boolean> {
  try {
    return (await uploads.failed(id, from, code, detail)) !== undefined;
  } catch (error) {
    logger.warn(
      { err: error, uploadId: id, code },
      'an upload that failed could not be written down as such',
    );
    return false;
  }
}

/** Best effort: an object that stays goes when its upload is removed. */
async function remove({ objects, logger }: UploadContext, objectKey: string): Promise<void> {
  try {
    await objects.delete(objectKey);
  } catch (error) {
    logger.warn({ err: error, objectKey }, 'the object of an upload that failed could not be removed');
  }
}
