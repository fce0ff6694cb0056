/**
 * What a `POST /uploads` asks for, read from its head: everything that can be refused before a byte of the body is read.
 *
 * | from                                       | what                                                                       |
 * |--------------------------------------------|----------------------------------------------------------------------------|
 * | `Content-Type: multipart/form-data`        | the body is a form with one file; with any other, the body is the file     |
 * | `?filename=`, else `Content-Disposition`   | the file's name, unless a form tells it                                    |
 * | `?process=false`                           | kept and never read; for `uploads:all`                                     |
 * | `Idempotency-Key`                          | the same key, the same upload                                              |
 * | `Content-Digest`, `Repr-Digest` (RFC 9530) | the SHA-256 of the body; other algorithms are left unread, as it allows    |
 */
import { parse as parseDisposition } from 'content-disposition';
import { cleanFilename } from '../../actors/upload/filename.js';
import type { Client } from '../auth/client.js';
import type { RequestHead } from '../exchange.js';
import { problem } from '../problem.js';
import { RefusalError } from './handle.js';
import type { IntakeLimits } from './intake/intake.js';

/** Of a form, beyond its file. */
const FORM_OVERHEAD_BYTES_MAX = 1024 * 1024;

export interface PostRequest {
  /** The Content-Type, boundary and all, of a form; undefined: the body is the file. */
  readonly form: string | undefined;
  /** Clean; undefined when the head does not tell it. */
  readonly filename: string | undefined;
  readonly process: boolean;
  readonly idempotencyKey: string | undefined;
  /** Of the body, announced; hexadecimal. */
  readonly sha256: string | undefined;
  /** Of the file, announced. */
  readonly bytesExpected: number | undefined;
}

const FORM_TYPE = /^multipart\/form-data(?:\s*;|\s*$)/i;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
/** A member of a dictionary of RFC 8941: a byte sequence, maybe with parameters behind it. */
const SHA_256 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:;[^,]*)?(?:,|$)/;
const SHA_256_NAMED = /(?:^|,)\s*sha-256\s*=/;
const QUERY_KEYS: readonly string[] = ['filename', 'process'];

/** @throws RefusalError */
export function readPost(
  { headers, query }: RequestHead,
  { scopes }: Client,
  limits: IntakeLimits,
): PostRequest {
  const contentType = headers.get('content-type') ?? '';
  const form = FORM_TYPE.test(contentType) ? contentType : undefined;
  const bytes = contentLength(headers, form !== undefined, limits);
  const parameters = readQuery(query);
  const given = parameters.get('filename') ?? dispositionName(headers);
  const keep = parameters.get('process') === 'false';
  if (keep && !scopes.has('uploads:all')) {
    throw new RefusalError(
      problem('scope-missing', 'to keep a file without processing it needs uploads:all'),
    );
  }
  return {
    form,
    filename: given === undefined ? undefined : cleanFilename(given),
    process: !keep,
    idempotencyKey: idempotencyKey(headers),
    sha256: announcedSha256(headers),
    bytesExpected: form === undefined ? bytes : undefined,
  };
}

/** Undefined when the body comes in chunks. */
function contentLength(
  headers: RequestHead['headers'],
  isForm: boolean,
  { textBytesMax, xlsxBytesMax }: IntakeLimits,
): number | undefined {
  const bytesMax = Math.max(textBytesMax, xlsxBytesMax);
  if (headers.has('transfer-encoding')) return undefined;
  const bytes = Number(headers.get('content-length') ?? 0);
  if (bytes === 0) throw new RefusalError(problem('empty-file', 'the request has no body'));
  if (bytes > bytesMax + (isForm ? FORM_OVERHEAD_BYTES_MAX : 0)) {
    throw new RefusalError(problem('content-too-large', `a file has at most ${bytesMax} bytes`));
  }
  return bytes;
}

function readQuery(query: string): URLSearchParams {
  const parameters = new URLSearchParams(query);
  const invalid = (detail: string) => new RefusalError(problem('invalid-query', detail));
  // A misspelt `process` would process what was to be kept.
  for (const key of parameters.keys()) {
    if (!QUERY_KEYS.includes(key)) throw invalid(`the query has ${QUERY_KEYS.join(' and ')}, and no other`);
    if (parameters.getAll(key).length > 1) throw invalid(`${key} is there twice`);
  }
  const process = parameters.get('process') ?? 'true';
  if (process !== 'true' && process !== 'false') throw invalid('process is true or false');
  return parameters;
}

function dispositionName(headers: RequestHead['headers']): string | undefined {
  const header = headers.get('content-disposition');
  if (header === undefined) return undefined;
  return parseDisposition(header).parameters.filename;
}

function idempotencyKey(headers: RequestHead['headers']): string | undefined {
  const key = headers.get('idempotency-key');
  if (key !== undefined && !IDEMPOTENCY_KEY.test(key)) {
    throw new RefusalError(
      problem('invalid-header', 'Idempotency-Key has 1 to 255 visible ASCII characters'),
    );
  }
  return key;
}

function announcedSha256(headers: RequestHead['headers']): string | undefined {
  const digests = ['content-digest', 'repr-digest'].map((name) => {
    const header = headers.get(name) ?? '';
    const digest = SHA_256.exec(header)?.[1];
    if (digest === undefined && SHA_256_NAMED.test(header)) {
      throw new RefusalError(problem('invalid-header', `sha-256 of ${name} is no base64 of 32 bytes`));
    }
    return digest === undefined ? undefined : Buffer.from(digest, 'base64').toString('hex');
  });
  const [content, representation] = digests;
  if (content !== undefined && representation !== undefined && content !== representation) {
    throw new RefusalError(problem('invalid-header', 'Content-Digest and Repr-Digest contradict each other'));
  }
  return content ?? representation;
}
