/** The headers of a tus request, read strictly: what is not as the protocol's text has it is refused, and never guessed at. */
import type { RequestHead } from '../../exchange.js';
import type { IntakeLimits } from '../intake/intake.js';
import {
  type AppendChecksum,
  bytesMax,
  CHECKSUM_BYTES,
  type ChecksumAlgorithm,
  OFFSET_MEDIA_TYPE,
  refused,
  TUS_VERSION,
} from './protocol.js';

type HeaderMap = RequestHead['headers'];

/** In lower case; of a request whose sender cannot say the method in its own place, the one that it names. */
export function methodOf({ method, headers }: RequestHead): string {
  return (headers.get('x-http-method-override') ?? method).toLowerCase();
}

/** @throws RefusalError 412 */
export function checkVersion(headers: HeaderMap): void {
  if (headers.get('tus-resumable') === TUS_VERSION) return;
  throw refused('unsupported-version', `Tus-Resumable is ${TUS_VERSION}`, [['Tus-Version', TUS_VERSION]]);
}

/** Whether a body comes, though it may have no bytes. */
export function hasBody(headers: HeaderMap): boolean {
  return headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) > 0;
}

/** @throws RefusalError 415 */
export function checkMediaType(headers: HeaderMap): void {
  const given = headers.get('content-type') ?? '';
  const [mediaType = ''] = given.split(';');
  if (mediaType.trim().toLowerCase() === OFFSET_MEDIA_TYPE) return;
  throw refused('unsupported-media-type', `the body of an upload is ${OFFSET_MEDIA_TYPE}`);
}

/** @throws RefusalError 400 */
export function readOffset(headers: HeaderMap): number {
  const offset = readInteger(headers, 'upload-offset');
  if (offset === undefined) throw refused('invalid-header', 'Upload-Offset is missing');
  return offset;
}

/**
 * Undefined: not given.
 * @throws RefusalError 400, 413
 */
export function readLength(headers: HeaderMap, limits: IntakeLimits): number | undefined {
  const length = readInteger(headers, 'upload-length');
  if (length !== undefined && length > bytesMax(limits)) throw tooLarge(limits);
  return length;
}

/**
 * Of a creation: undefined when it comes later.
 * @throws RefusalError 400, 413
 */
export function readLengthOrDeferral(headers: HeaderMap, limits: IntakeLimits): number | undefined {
  const length = readLength(headers, limits);
  const deferral = headers.get('upload-defer-length');
  if (deferral !== undefined && deferral !== '1') {
    throw refused('invalid-header', 'Upload-Defer-Length is 1, or not there');
  }
  if ((length === undefined) === (deferral === undefined)) {
    throw refused('invalid-header', 'an upload has either Upload-Length or Upload-Defer-Length');
  }
  return length;
}

/** @throws RefusalError 400 */
export function readChecksum(headers: HeaderMap): AppendChecksum | undefined {
  const given = headers.get('upload-checksum');
  if (given === undefined) return undefined;
  const [algorithm = '', encoded = '', ...more] = given.split(' ');
  if (!isAlgorithm(algorithm))
    throw refused('invalid-header', 'the algorithm of Upload-Checksum is not known');
  const digest = decodeBase64(encoded);
  if (digest?.byteLength !== CHECKSUM_BYTES[algorithm] || more.length > 0) {
    throw refused('invalid-header', 'Upload-Checksum is an algorithm, a space and a digest in base64');
  }
  return { algorithm, digest: digest.toString('hex') };
}

/** Bytes, or undefined when it is not base64 to the letter. */
export function decodeBase64(encoded: string): Buffer | undefined {
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.toString('base64') === encoded ? bytes : undefined;
}

export function tooLarge(limits: IntakeLimits): ReturnType<typeof refused> {
  return refused('content-too-large', `an upload has at most ${bytesMax(limits)} bytes`);
}

function isAlgorithm(name: string): name is ChecksumAlgorithm {
  return Object.hasOwn(CHECKSUM_BYTES, name);
}

/** However many digits: what a number cannot hold exactly is far beyond every limit. */
function readInteger(headers: HeaderMap, name: string): number | undefined {
  const given = headers.get(name);
  if (given === undefined) return undefined;
  if (!/^\d+$/.test(given)) throw refused('invalid-header', `${name} is a whole number, zero or more`);
  return Number(given);
}
