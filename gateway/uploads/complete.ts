/**
 * `POST /uploads/{id}/complete`: the client of a direct upload has put all of its parts.
 *
 * ```
 * parts are all there -> the object is made of them -> it is read, hashed and looked at -> row `stored` -> message on the log -> 200
 * ```
 * | a crash or an outage behind  | leaves                          | the next call                         |
 * |------------------------------|---------------------------------|---------------------------------------|
 * | the object is made           | no multipart any more           | finds the object and goes on           |
 * | row `stored`                 | an upload that waits            | puts the message on the log, answers   |
 *
 * What the client may still mend (a part is missing) leaves the upload as it is: it puts the part and calls again. An object that is not
 * what was announced, or no file that we take, ends the upload as `failed`, and goes. Between the two nobody can change the object: the
 * signed URLs were for parts of a multipart that is no more.
 */
import type { TemplatedApp } from 'uWebSockets.js';
import { z } from 'zod';
import type { Upload } from '../../actors/upload/model.js';
import { ObjectNotFoundError, ObjectRefusedError } from '../../storage/objects/errors.js';
import type { Part } from '../../storage/objects/object-store.js';
import { type Answer, jsonAnswer, noStore } from '../answer.js';
import { readJson } from '../json-body.js';
import { problem } from '../problem.js';
import { onOne } from './find.js';
import { RefusalError, type UploadRequest } from './handle.js';
import type { IntakeResult } from './intake/intake.js';
import { uploadJson } from './json.js';
import type { UploadContext } from './parts.js';
import { refusalAnswer } from './refusal-answer.js';

const PARTS_MAX = 1_000;

const completion = z.strictObject({
  parts: z
    .array(z.strictObject({ number: z.int().min(1).max(PARTS_MAX), etag: z.string().min(1).max(200) }))
    .max(PARTS_MAX)
    .optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i)
    .optional(),
});
type Completion = z.infer<typeof completion>;
const EXPECTED = '{ parts?: [{ number, etag }], sha256? }, or no body';
/** 1,000 parts with their ETags. */
const BODY_BYTES_MAX = 256 * 1024;

const NOT_DIRECT = problem('not-receiving', 'the upload is none that is completed by a call');
const CANCELLED = problem('upload-cancelled', 'the upload has been cancelled');
const FAILED = problem('upload-gone', 'the upload has failed; begin another one');
const INCOMPLETE = problem('upload-incomplete', 'the parts are not there');
const WRONG_PARTS = problem('wrong-parts', 'the parts are not those that are in the store');
const WRONG_DIGEST = problem('wrong-digest', 'the file has another SHA-256');

type Stored = IntakeResult & { readonly outcome: 'stored' };

export function registerComplete(app: TemplatedApp, context: UploadContext): void {
  onOne(app, 'post', '/uploads/:id/complete', context, 'uploads:write', async (upload, request) => {
    if (upload.via !== 'direct') return NOT_DIRECT;
    const body = await readCompletion(request);
    return 'refusal' in body ? body.refusal : complete(context, upload, body.value);
  });
}

async function readCompletion(request: UploadRequest) {
  const { headers } = request.head;
  const isEmpty = !headers.has('transfer-encoding') && Number(headers.get('content-length') ?? 0) === 0;
  return isEmpty ? { value: {} } : readJson(request, completion, EXPECTED, BODY_BYTES_MAX);
}

async function complete(
  context: UploadContext,
  upload: Upload,
  { parts, sha256 }: Completion,
): Promise<Answer> {
  const digests = [sha256, upload.sha256Expected].map((digest) => digest?.toLowerCase());
  const isOther = (actual: string | undefined) =>
    digests.some((digest) => digest !== undefined && digest !== actual);
  if (upload.storedAt !== undefined) {
    return isOther(upload.sha256) ? WRONG_DIGEST : acknowledge(context, upload);
  }
  if (upload.state !== 'receiving') return ended(upload);
  await assemble(context, upload, parts);
  const file = await inspect(context, upload);
  if (isOther(file.sha256)) return giveUp(context, upload, 'wrong-digest', WRONG_DIGEST);
  return keep(context, upload, file);
}

/** @throws RefusalError when the object cannot be made of what is there */
async function assemble(context: UploadContext, upload: Upload, given: Completion['parts']): Promise<void> {
  const { objects } = context;
  const { objectKey, multipart, bytesExpected = 0 } = upload;
  const parts =
    multipart === undefined ? undefined : await unlessGone(objects.listParts(objectKey, multipart));
  if (parts !== undefined && multipart !== undefined) {
    if (given !== undefined && !areSame(given, parts)) throw new RefusalError(WRONG_PARTS);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    if (bytes !== bytesExpected) {
      throw new RefusalError(
        problem(
          'wrong-size',
          `${bytes} bytes are there, ${bytesExpected} were announced; put what is missing`,
        ),
      );
    }
    try {
      await unlessGone(objects.completeMultipart(objectKey, multipart, parts));
    } catch (error) {
      // A part that is too small, or was put again meanwhile.
      throw error instanceof ObjectRefusedError ? new RefusalError(WRONG_PARTS) : error;
    }
  }
  const stat = await objects.stat(objectKey);
  if (stat === undefined) throw new RefusalError(INCOMPLETE);
  if (stat.bytes === bytesExpected) return;
  const wrong = problem('wrong-size', `the file has ${stat.bytes} bytes, ${bytesExpected} were announced`);
  throw new RefusalError(await giveUp(context, upload, 'wrong-size', wrong));
}

/** Undefined when the multipart is complete already, or aborted. */
async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

function areSame(given: NonNullable<Completion['parts']>, parts: readonly Part[]): boolean {
  const bare = (etag: string) => etag.replaceAll('"', '').toLowerCase();
  const etags = new Map(given.map(({ number, etag }) => [number, bare(etag)]));
  return (
    given.length === parts.length &&
    etags.size === parts.length &&
    parts.every(({ number, etag }) => etags.get(number) === bare(etag))
  );
}

/** @throws RefusalError when it is no file that we take; then it is gone */
async function inspect(context: UploadContext, upload: Upload): Promise<Stored> {
  const { intake, limits, uploads } = context;
  const stream = intake.open({ kind: 'inspect', objectKey: upload.objectKey, limits });
  stream.end();
  const result = await stream.result;
  if (result.outcome === 'stored') return result;
  if (result.outcome !== 'refused') throw new TypeError(`an inspection was ${result.outcome}`);
  await uploads.failed(upload.id, ['receiving'], result.code, result.detail);
  throw new RefusalError(refusalAnswer(result));
}

async function keep(
  context: UploadContext,
  upload: Upload,
  { bytes, sha256, mediaType }: Stored,
): Promise<Answer> {
  if (mediaType === undefined) throw new TypeError('a file of no type was stored');
  const { uploads, objects } = context;
  const stored = await uploads.stored(upload.id, { bytes, sha256, mediaType });
  if (stored !== undefined) return acknowledge(context, stored);
  const now = await uploads.get(upload.id);
  // Another call was at this very point.
  if (now?.storedAt !== undefined) return acknowledge(context, now);
  await objects.delete(upload.objectKey);
  return now === undefined ? CANCELLED : ended(now);
}

async function acknowledge(context: UploadContext, upload: Upload): Promise<Answer> {
  if (upload.state === 'stored' && upload.process) await context.enqueue(upload.id, 'process');
  return noStore(jsonAnswer(uploadJson(upload, context.now())));
}

/** The row first: who has it as `failed` may remove the object, and of two calls at once one has. */
async function giveUp(
  { uploads, objects }: UploadContext,
  { id, objectKey }: Upload,
  code: string,
  answer: Answer,
): Promise<Answer> {
  const failed = await uploads.failed(id, ['receiving'], code, 'the file is not what was announced');
  if (failed !== undefined) await objects.delete(objectKey);
  return answer;
}

function ended({ state }: Upload): Answer {
  return state === 'cancelling' || state === 'cancelled' ? CANCELLED : FAILED;
}
