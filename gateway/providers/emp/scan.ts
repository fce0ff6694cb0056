/**
 * Finds the fields of an EMP notification that decide where it goes, in one pass over the body, without parsing the form.
 *
 * It must understand a body exactly as the actor's full parser does (`actors/emp`), or a signature would be checked for one
 * id and the effect fall on another. So both decode as WHATWG's URL Standard says, take the same names from
 * `actors/emp/fields.ts`, and refuse a repeated significant field and an identity field that is not UTF-8;
 * `provider.test.ts` compares the two on random bodies.
 *
 * The body is read as a string of one character per byte: `indexOf` and `startsWith` on it are native code. Measured on
 * Node 20 for a body of 330 bytes: string and two searches per field 0.22 us, a loop over the bytes that looks for nothing but
 * `&` and `=` 0.33 us. A name is decoded only when a `%` lies in it, which is known from where the next one is in the whole
 * body; a value when it is asked for.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { IDENTITY_FIELDS, SIGNIFICANT_FIELDS, type SignificantField } from '../../../actors/emp/index.js';

export type IdentityField = (typeof IDENTITY_FIELDS)[number];

interface Candidate {
  readonly name: SignificantField;
  /** Its bit in the set of names seen; the identity fields come first, and the number is their place in `values`. */
  readonly index: number;
}

const IDENTITY_COUNT = IDENTITY_FIELDS.length;
/** A set of names is one 32-bit integer. */
const SIGNIFICANT_MAX = 31;

const PERCENT = 0x25;
/** The significant names are made of `_` and lower-case letters. */
const NAME_CODE_MIN = 0x5f;
const NAME_CODE_MAX = 0x7a;
const NAME_LENGTH_MAX = Math.max(...SIGNIFICANT_FIELDS.map((name) => name.length));

const NOT_SIGNIFICANT: readonly Candidate[] = [];
const CANDIDATES_BY_LENGTH: readonly (readonly Candidate[])[] = candidatesByLength();

// The standard says "UTF-8 decode without BOM": a byte order mark is a character like any other.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Holds what the last `scan` found, as places in its body: one scanner serves one body after another. */
export class FormScanner {
  /** Of the value as it stands in the body; equal when the field is empty or absent, which mean the same. */
  readonly starts = new Int32Array(IDENTITY_COUNT);
  readonly ends = new Int32Array(IDENTITY_COUNT);
  /** The body as one character per byte. */
  #text = '';
  #ascii = true;
  /** Whether a `%` stands in the value of an identity field, or in its name. */
  #escaped = false;
  #repeated: SignificantField | undefined;

  /** The decoded value; empty when the field is empty or absent. */
  value(field: number): string {
    const start = this.starts[field] ?? 0;
    const end = this.ends[field] ?? 0;
    if (start === end) return '';
    const value = this.#text.slice(start, end);
    return this.#ascii && !value.includes('%') && !value.includes('+') ? value : decodeComponent(value);
  }

  isEmpty(field: number): boolean {
    return this.starts[field] === this.ends[field];
  }

  /** The first significant field that came twice: then the body is malformed, and the values mean nothing. */
  get repeated(): SignificantField | undefined {
    return this.#repeated;
  }

  /** The first identity field whose value is not UTF-8: then the body is malformed. */
  get notUtf8(): IdentityField | undefined {
    if (this.#ascii && !this.#escaped) return undefined;
    return IDENTITY_FIELDS.find((_, field) => {
      const value = this.#text.slice(this.starts[field], this.ends[field]);
      return !isUtf8(decodeBytes(value));
    });
  }

  scan(body: Buffer): void {
    const text = body.toString('latin1');
    const length = text.length;
    const { starts, ends } = this;
    this.#text = text;
    this.#ascii = isAscii(body);
    this.#escaped = false;
    this.#repeated = undefined;
    for (let i = 0; i < IDENTITY_COUNT; i++) {
      starts[i] = 0;
      ends[i] = 0;
    }

    let seen = 0;
    // Where the next of each is, at or after `start`; `length` when there is none. Each is looked for once per occurrence,
    // so that no body makes this quadratic.
    let equals = -1;
    let percent = -1;
    for (let start = 0, end = 0; start < length; start = end + 1) {
      end = indexOrEnd(text, '&', start);
      if (end === start) continue;
      if (equals < start) equals = indexOrEnd(text, '=', start);
      if (percent < start) percent = indexOrEnd(text, '%', start);
      const nameEnd = Math.min(equals, end);

      const candidate =
        percent < nameEnd
          ? significantEncoded(text, start, nameEnd)
          : significant(text, start, nameEnd - start);
      if (candidate === undefined) continue;

      const bit = 1 << candidate.index;
      if ((seen & bit) !== 0) {
        this.#repeated = candidate.name;
        return;
      }
      seen |= bit;
      if (candidate.index >= IDENTITY_COUNT || nameEnd === end) continue;

      starts[candidate.index] = nameEnd + 1;
      ends[candidate.index] = end;
      if (percent < end) this.#escaped = true;
    }
  }
}

/** The number by which `FormScanner.value` knows a field. */
export function fieldNumber(name: IdentityField): number {
  return IDENTITY_FIELDS.indexOf(name);
}

function indexOrEnd(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from);
  return index === -1 ? text.length : index;
}

/** The significant field whose name stands at `start` and is `length` characters long. */
function significant(text: string, start: number, length: number): Candidate | undefined {
  const candidates = CANDIDATES_BY_LENGTH[length];
  if (candidates === undefined) return undefined;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i];
    if (candidate !== undefined && text.startsWith(candidate.name, start)) return candidate;
  }
  return undefined;
}

/**
 * The same of a name with a `%` in it. A body may hold thousands of those, so it gives up at the first byte that no
 * significant name has (`decodeComponent` on each took 150 ms for 64 KiB).
 */
function significantEncoded(text: string, start: number, end: number): Candidate | undefined {
  let name = '';
  for (let i = start; i < end; i++) {
    let code = text.charCodeAt(i);
    if (code === PERCENT) {
      // A `%` that stands for itself is in no name either.
      if (i + 2 >= end) return undefined;
      code = byteOf(text.charCodeAt(i + 1), text.charCodeAt(i + 2));
      i += 2;
    }
    if (!(code >= NAME_CODE_MIN && code <= NAME_CODE_MAX) || name.length === NAME_LENGTH_MAX)
      return undefined;
    name += String.fromCharCode(code);
  }
  return significant(name, 0, name.length);
}

function decodeComponent(component: string): string {
  return utf8.decode(decodeBytes(component));
}

/** The bytes that a value of a form stands for, given as one character per byte. Not on the usual path. */
function decodeBytes(component: string): Uint8Array {
  const bytes = Buffer.from(component, 'latin1');
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i];
    if (byte === 0x2b) {
      byte = 0x20;
    } else if (byte === 0x25) {
      const decoded = byteOf(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0);
      if (decoded >= 0) {
        byte = decoded;
        i += 2;
      }
    }
    // Decoding only ever shortens, so it can be done in place.
    bytes[length++] = byte ?? 0;
  }
  return bytes.subarray(0, length);
}

/** The byte that two hex digits (their codes) stand for, or -1 when one is none. */
function byteOf(high: number, low: number): number {
  const highValue = hexValue(high);
  const lowValue = hexValue(low);
  return highValue < 0 || lowValue < 0 ? -1 : highValue * 16 + lowValue;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function candidatesByLength(): (readonly Candidate[])[] {
  if (SIGNIFICANT_FIELDS.length > SIGNIFICANT_MAX) throw new RangeError('more significant fields than bits');
  if (!SIGNIFICANT_FIELDS.every((name) => /^[_a-z]+$/.test(name)))
    throw new RangeError('a name that is not of [_a-z]');
  return Array.from({ length: NAME_LENGTH_MAX + 1 }, (_, length) => {
    const candidates = SIGNIFICANT_FIELDS.flatMap((name, index) =>
      name.length === length ? [{ name, index }] : [],
    );
    return candidates.length === 0 ? NOT_SIGNIFICANT : candidates;
  });
}
