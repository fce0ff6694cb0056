/**
 * `GET /uploads/{id}/file`: the original, byte for byte, whole or a range of it.
 *
 * - It comes out of the object store no faster than the client takes it. A store that fails midway closes the connection: a body never
 *   only looks whole. A client goes on with `Range` and `If-Range`; the ETag is the file's SHA-256.
 * - Nothing of it runs in a browser: it is an attachment, of the type that its content has, and no browser may think otherwise.
 * - Of several ranges at once none is answered but the whole file, as HTTP allows.
 */

import type { TemplatedApp } from 'uWebSockets.js';
import { create as contentDisposition } from 'content-disposition';
import parseRange from 'range-parser';
import { cleanFilename } from '../../actors/upload/filename.js';
import type { Upload } from '../../actors/upload/model.js';
import { ObjectNotFoundError } from '../../storage/objects/errors.js';
import type { ByteRange, ObjectStore } from '../../storage/objects/object-store.js';
import type { Answer } from '../answer.js';
import { problem } from '../problem.js';
import { pump } from '../response-stream.js';
import { isInRange, isNoneMatch } from './conditions.js';
import { onUpload } from './find.js';
import { RefusalError, type UploadRequest } from './handle.js';
import type { UploadContext } from './parts.js';

const NOT_STORED = problem('not-stored', 'the file is not there yet, or never came to be');
const GONE = problem('not-found', 'the file is no longer there');

export function registerFile(app: TemplatedApp, context: UploadContext): void {
  onUpload(app, '/uploads/:id/file', context, (upload, request) => sendFile(context, upload, request));
}

async function sendFile(
  { objects }: UploadContext,
  upload: Upload,
  { head, exchange }: UploadRequest,
): Promise<Answer | undefined> {
  const { storedAt, sha256, mediaType = 'application/octet-stream', bytes, objectKey } = upload;
  if (storedAt === undefined || sha256 === undefined) return NOT_STORED;
  const etag = `"${sha256}"`;
  const headers = headersOf(upload.filename, etag, sha256);
  if (!isNoneMatch(head.headers.get('if-none-match'), etag)) {
    return { status: '304 Not Modified', contentType: '', headers: [['ETag', etag]], body: '' };
  }
  const isHead = head.method === 'head';
  const range = isHead ? undefined : rangeOf(head.headers, bytes, etag);
  if (range === 'unsatisfiable') {
    return problem('range-not-satisfiable', `the file has ${bytes} bytes`, [
      ['Content-Range', `bytes */${bytes}`],
    ]);
  }
  const { start, end } = range ?? { start: 0, end: bytes };
  const answer = {
    status: range === undefined ? '200 OK' : '206 Partial Content',
    contentType: mediaType,
    headers:
      range === undefined
        ? headers
        : [...headers, ['Content-Range', `bytes ${start}-${end - 1}/${bytes}`] as const],
  };
  if (isHead) {
    if ((await objects.stat(objectKey)) === undefined) return GONE;
    exchange.stream(answer, bytes);
    return undefined;
  }
  const source = await open(objects, objectKey, { start, end });
  const stream = exchange.stream(answer, end - start);
  if (stream === undefined) source.destroy();
  else await pump(stream, source, () => source.destroy());
  return undefined;
}

async function open(objects: ObjectStore, key: string, range: ByteRange) {
  try {
    return await objects.read(key, range);
  } catch (error) {
    throw error instanceof ObjectNotFoundError ? new RefusalError(GONE) : error;
  }
}

function headersOf(filename: string, etag: string, sha256: string): Answer['headers'] {
  return [
    ['ETag', etag],
    ['Accept-Ranges', 'bytes'],
    // RFC 9530; of the whole file, in the answer to a range too.
    ['Repr-Digest', `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`],
    // Clean it is already; whoever wrote the row, nothing of it becomes a header of its own.
    ['Content-Disposition', contentDisposition(cleanFilename(filename))],
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Security-Policy', "default-src 'none'; sandbox"],
    ['Cache-Control', 'no-store'],
  ];
}

/** `end` exclusive; undefined for the whole file. */
function rangeOf(
  headers: ReadonlyMap<string, string>,
  bytes: number,
  etag: string,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const header = headers.get('range')?.trim() ?? '';
  if (!/^bytes=/i.test(header) || !isInRange(headers.get('if-range'), etag)) return undefined;
  // More than there is, from the end, is the whole file; the parser finds no range in it.
  const suffix = /^bytes=\s*-(\d{1,15})$/i.exec(header)?.[1];
  if (suffix !== undefined && Number(suffix) >= bytes && bytes > 0) return { start: 0, end: bytes };
  const ranges = parseRange(bytes, header);
  if (ranges === -1) return 'unsatisfiable';
  if (ranges === -2 || ranges.length !== 1) return undefined;
  const [only] = ranges;
  return only === undefined ? undefined : { start: only.start, end: only.end + 1 };
}
