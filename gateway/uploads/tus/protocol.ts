/**
 * The words of tus 1.0.0, the protocol of resumable uploads (tus.io), and what of it is offered: the core and each extension but
 * `checksum-trailer` (uWebSockets.js drops trailers) and `concatenation-unfinished` (a final upload is made of parts that are whole).
 *
 * CORS is not offered: clients are servers with a token, no pages of another origin.
 */
import type { Answer } from '../../answer.js';
import { problem } from '../../problem.js';
import { RefusalError } from '../handle.js';
import type { IntakeJob, IntakeLimits } from '../intake/intake.js';

export const TUS_PATH = '/uploads/tus';
export const TUS_VERSION = '1.0.0';
export const OFFSET_MEDIA_TYPE = 'application/offset+octet-stream';

const EXTENSIONS =
  'creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation';

export type AppendChecksum = NonNullable<Extract<IntakeJob, { readonly kind: 'append' }>['checksum']>;
export type ChecksumAlgorithm = AppendChecksum['algorithm'];
/** Bytes of a digest. */
export const CHECKSUM_BYTES: Readonly<Record<ChecksumAlgorithm, number>> = { sha1: 20, sha256: 32, md5: 16 };

export type Headers = Answer['headers'];

/** On every answer. */
export const RESUMABLE_HEADERS: Headers = [['Tus-Resumable', TUS_VERSION]];

/** Of a whole upload, whatever is in it. */
export function bytesMax({ textBytesMax, xlsxBytesMax }: IntakeLimits): number {
  return Math.max(textBytesMax, xlsxBytesMax);
}

export function optionsAnswer(limits: IntakeLimits): Answer {
  return {
    status: '204 No Content',
    contentType: '',
    headers: [
      ...RESUMABLE_HEADERS,
      ['Tus-Version', TUS_VERSION],
      ['Tus-Extension', EXTENSIONS],
      ['Tus-Max-Size', String(bytesMax(limits))],
      ['Tus-Checksum-Algorithm', Object.keys(CHECKSUM_BYTES).join(',')],
    ],
    body: '',
  };
}

/** An answer without a body; other than 204 it says so, or the client would wait for one. */
export function emptyAnswer(status: '200 OK' | '201 Created' | '204 No Content', headers: Headers): Answer {
  const length: Headers = status === '201 Created' ? [['Content-Length', '0']] : [];
  return {
    status,
    contentType: '',
    headers: [['Cache-Control', 'no-store'], ...length, ...headers],
    body: '',
  };
}

export function expiresHeader(expiresAt: Date | undefined): Headers {
  return expiresAt === undefined ? [] : [['Upload-Expires', expiresAt.toUTCString()]];
}

export const refused = (...parts: Parameters<typeof problem>): RefusalError =>
  new RefusalError(problem(...parts));
