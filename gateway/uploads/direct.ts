/**
 * `POST /uploads/direct`: a file that the client puts into the object store by itself, by URLs that are signed for an hour.
 *
 * It is always a multipart, of a single part up to `SINGLE_BYTES_MAX`: a signed URL for a whole object could be used again after the upload
 * is complete, and change under us what has been checked. One for a part is dead when the multipart is complete. OpenStack Swift takes
 * such a part all the same, and then refuses to read the object, since it knows the parts' checksums: the client has spoilt its file, and
 * nobody reads other bytes than were checked.
 *
 * URLs are secrets: they stand in the answer, and nowhere else.
 *
 * Between create and complete no byte goes through Tether; `complete.ts` has the rest. What is not completed in time is swept.
 */
import type { TemplatedApp } from 'uWebSockets.js';
import { z } from 'zod';
import { cleanFilename } from '../../actors/upload/filename.js';
import { objectKeyOf } from '../../actors/upload/model.js';
import { PART_BYTES, type Presigner } from '../../storage/objects/object-store.js';
import { type Answer, jsonAnswer } from '../answer.js';
import { readJson } from '../json-body.js';
import { problem } from '../problem.js';
import { handleUpload, type UploadRequest } from './handle.js';
import { uploadJson } from './json.js';
import type { UploadContext } from './parts.js';

const MIB = 1024 * 1024;
/** Up to here one PUT, as most tools know it; a client on a bad line begins anew. */
export const SINGLE_BYTES_MAX = 64 * MIB;
const PARTS_MAX = 1_000;
const EXPIRES_SECONDS = 3_600;
/** Each is a signature; between them others have their turn. */
const SIGNED_AT_ONCE = 25;
const FILENAME_LENGTH_MAX = 1_000;

const newDirect = z.strictObject({
  filename: z.string().min(1).max(FILENAME_LENGTH_MAX),
  bytes: z.int().min(1),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i)
    .optional(),
});
const EXPECTED = '{ filename, bytes, sha256? }: bytes from 1, sha256 in hexadecimal';

const NOT_AVAILABLE = problem(
  'direct-not-available',
  'files are kept in a folder, which nothing but this service can write to; use POST /uploads or /uploads/tus',
);

export function registerDirect(app: TemplatedApp, context: UploadContext): void {
  app.post('/uploads/direct', (res, req) =>
    handleUpload(context, res, req, { scope: 'uploads:write' }, (request) => create(context, request)),
  );
}

async function create(context: UploadContext, request: UploadRequest): Promise<Answer> {
  const { objects, uploads, limits, nextId, now } = context;
  const { presigner } = objects;
  if (presigner === undefined) return NOT_AVAILABLE;
  const body = await readJson(request, newDirect, EXPECTED);
  if ('refusal' in body) return body.refusal;
  const { filename, bytes, sha256 } = body.value;
  const bytesMax = Math.max(limits.textBytesMax, limits.xlsxBytesMax);
  if (bytes > bytesMax) return problem('content-too-large', `a file has at most ${bytesMax} bytes`);
  const id = nextId();
  const objectKey = objectKeyOf(id);
  // What a failure or a crash leaves from here on, the sweeper finds: a multipart without a row, or a row that expires.
  const multipart = await objects.beginMultipart(objectKey);
  await uploads.create({
    id,
    owner: request.client.name,
    via: 'direct',
    filename: cleanFilename(filename),
    objectKey,
    bytesExpected: bytes,
    ...(sha256 === undefined ? {} : { sha256Expected: sha256 }),
  });
  const upload = await uploads.received(id, 0, multipart);
  if (upload === undefined) throw new TypeError('an upload that is new is not receiving');
  const expiresSeconds = Math.min(EXPIRES_SECONDS, Math.floor(context.expiryMs / 1000));
  const expiresAt = new Date(now() + expiresSeconds * 1000).toISOString();
  const parts = await sign(presigner, objectKey, multipart, partsOf(bytes), expiresSeconds);
  const [only] = parts;
  return {
    ...jsonAnswer(
      {
        ...uploadJson(upload, now()),
        ...(bytes <= SINGLE_BYTES_MAX && only !== undefined
          ? { put: { url: only.url, expiresAt } }
          : { parts: parts.map((part) => ({ ...part, expiresAt })) }),
        complete: `/uploads/${id}/complete`,
      },
      '201 Created',
    ),
    headers: [
      ['Location', `/uploads/${id}`],
      ['Cache-Control', 'no-store'],
    ],
  };
}

interface PartRange {
  readonly number: number;
  readonly bytes: number;
}

/** All of one size, a whole number of MiB, but for the last. */
export function partsOf(bytes: number): readonly PartRange[] {
  if (bytes <= SINGLE_BYTES_MAX) return [{ number: 1, bytes }];
  const partBytes = Math.max(PART_BYTES, Math.ceil(bytes / PARTS_MAX / MIB) * MIB);
  return Array.from({ length: Math.ceil(bytes / partBytes) }, (_, index) => ({
    number: index + 1,
    bytes: Math.min(partBytes, bytes - index * partBytes),
  }));
}

async function sign(
  presigner: Presigner,
  objectKey: string,
  multipart: string,
  parts: readonly PartRange[],
  expiresSeconds: number,
) {
  const signed: (PartRange & { readonly url: string })[] = [];
  for (const part of parts) {
    signed.push({ ...part, url: await presigner.part(objectKey, multipart, part.number, expiresSeconds) });
    if (part.number % SIGNED_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return signed;
}
