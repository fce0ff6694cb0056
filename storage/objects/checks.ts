/**
 * What both drivers ask of their callers, so that neither takes what the other refuses.
 *
 * A key that passes is safe in a path, a URL and XML, and no XML reader takes it for a number.
 */
import { ObjectRefusedError } from './errors.js';
import { type ByteRange, PART_BYTES, PART_BYTES_MIN, PARTS_MAX, type Part } from './object-store.js';

/** A file's name has room for it, with a multipart's id behind it. */
const KEY_LENGTH_MAX = 200;
/** Of a list. */
export const LIST_MAX = 1_000;

const KEY = /^[A-Za-z][\w.-]*(\/[\w.-]+)*$/;
const PREFIX = /^([A-Za-z][\w./-]*)?$/;
const ONLY_DOTS = /(^|\/)\.{1,2}(\/|$)/;

export function isKey(key: string): boolean {
  return key.length <= KEY_LENGTH_MAX && KEY.test(key) && !ONLY_DOTS.test(key);
}

/** @throws ObjectRefusedError */
export function assertKey(key: string): void {
  if (!isKey(key)) throw new ObjectRefusedError('a key of the object store is not one of Tether’s own');
}

/** @throws ObjectRefusedError */
export function assertPrefix(prefix: string): void {
  if (prefix.length > KEY_LENGTH_MAX || !PREFIX.test(prefix) || prefix.includes('..')) {
    throw new ObjectRefusedError('a prefix of the object store is the beginning of no key of Tether’s own');
  }
}

/** @throws ObjectRefusedError */
export function assertPartNumber(number: number): void {
  if (!Number.isInteger(number) || number < 1 || number > PARTS_MAX) {
    throw new ObjectRefusedError(`a part has a number from 1 to ${PARTS_MAX}, not ${number}`);
  }
}

/** @throws ObjectRefusedError */
export function assertPartBytes(bytes: number): void {
  if (bytes > PART_BYTES) {
    throw new ObjectRefusedError(`${bytes} bytes are too many at once: at most ${PART_BYTES}`);
  }
}

/** That they can be an object: what S3 asks. @throws ObjectRefusedError */
export function assertParts(parts: readonly Part[]): void {
  if (parts.length === 0) throw new ObjectRefusedError('an object is made of at least one part');
  let before = 0;
  for (const [index, { number, bytes }] of parts.entries()) {
    assertPartNumber(number);
    if (number <= before) throw new ObjectRefusedError('parts are not in the order of their numbers');
    if (bytes < PART_BYTES_MIN && index < parts.length - 1) {
      throw new ObjectRefusedError(`part ${number} is too small: only the last may have less than 5 MiB`);
    }
    before = number;
  }
}

/** @throws RangeError */
export function assertLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_MAX) {
    throw new RangeError(`a list has a limit from 1 to ${LIST_MAX}, not ${limit}`);
  }
}

/** @throws RangeError */
export function assertRange({ start, end = Number.MAX_SAFE_INTEGER }: ByteRange): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new RangeError(`no range of bytes: ${start} to ${end}`);
  }
}
