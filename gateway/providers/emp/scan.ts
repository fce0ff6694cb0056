/**
 * Finds the fields of an EMP notification that decide where it goes, in one pass over the body, without parsing the form.
 *
 * It must understand a body exactly as the actor's full parser does (`actors/emp`), or a signature would be checked for one
 * id and the effect fall on another. So both decode as WHATWG's URL Standard says, take the same names from
 * `actors/emp/fields.ts`, and refuse a repeated significant field; `scan.test.ts` compares the two on random bodies.
 *
 * The body is read as a string of one character per byte: `indexOf` and `startsWith` on it are native code. Measured on
 * Node 20 for a body of 330 bytes: string and two searches per field 0.22 us, a loop over the bytes that looks for nothing but
 * `&` and `=` 0.33 us. A name or value is decoded only when a `%`, a `+` or a byte above 127 lies in it, which is
 * known from where the next one is in the whole body.
 */
import { isAscii } from 'node:buffer';
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

const NOT_SIGNIFICANT: readonly Candidate[] = [];
const CANDIDATES_BY_LENGTH: readonly (readonly Candidate[])[] = candidatesByLength();

// The standard says "UTF-8 decode without BOM": a byte order mark is a character like any other.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Holds what the last `scan` found: one scanner serves one body after another without allocating. */
export class FormScanner {
  readonly #values: string[] = Array.from({ length: IDENTITY_COUNT }, () => '');
  #repeated: SignificantField | undefined;

  /** The decoded value; empty when the field is empty or absent, which mean the same. */
  value(field: number): string {
    return this.#values[field] ?? '';
  }

  /** The first significant field that came twice: then the body is malformed, and the values mean nothing. */
  get repeated(): SignificantField | undefined {
    return this.#repeated;
  }

  scan(body: Buffer): void {
    const text = body.toString('latin1');
    const length = text.length;
    const ascii = isAscii(body);
    const values = this.#values;
    for (let i = 0; i < IDENTITY_COUNT; i++) values[i] = '';
    this.#repeated = undefined;

    let seen = 0;
    // Where the next of each is, at or after `start`; `length` when there is none. Each is looked for once per occurrence,
    // so that no body makes this quadratic.
    let equals = -1;
    let percent = -1;
    let plus = -1;
    for (let start = 0, end = 0; start < length; start = end + 1) {
      end = indexOrEnd(text, '&', start);
      if (end === start) continue;
      if (equals < start) equals = indexOrEnd(text, '=', start);
      if (percent < start) percent = indexOrEnd(text, '%', start);
      const nameEnd = Math.min(equals, end);

      const candidate =
        percent < nameEnd
          ? significant(decodeComponent(text.slice(start, nameEnd)), 0, -1)
          : significant(text, start, nameEnd - start);
      if (candidate === undefined) continue;

      const bit = 1 << candidate.index;
      if ((seen & bit) !== 0) {
        this.#repeated = candidate.name;
        return;
      }
      seen |= bit;
      if (candidate.index >= IDENTITY_COUNT || nameEnd === end) continue;

      const valueStart = nameEnd + 1;
      if (percent < valueStart) percent = indexOrEnd(text, '%', valueStart);
      if (plus < valueStart) plus = indexOrEnd(text, '+', valueStart);
      const value = text.slice(valueStart, end);
      values[candidate.index] = ascii && percent >= end && plus >= end ? value : decodeComponent(value);
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

/** The significant field that stands at `start` and is `length` characters long; all of `text` when that is negative. */
function significant(text: string, start: number, length: number): Candidate | undefined {
  const candidates = CANDIDATES_BY_LENGTH[length < 0 ? text.length : length];
  if (candidates === undefined) return undefined;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i];
    if (candidate !== undefined && text.startsWith(candidate.name, start)) return candidate;
  }
  return undefined;
}

/** Decodes a name or value of a form, given as one character per byte. Not on the usual path. */
function decodeComponent(component: string): string {
  const bytes = Buffer.from(component, 'latin1');
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i];
    if (byte === 0x2b) {
      byte = 0x20;
    } else if (byte === 0x25) {
      const high = hexDigit(bytes[i + 1]);
      const low = hexDigit(bytes[i + 2]);
      if (high >= 0 && low >= 0) {
        byte = high * 16 + low;
        i += 2;
      }
    }
    // Decoding only ever shortens, so it can be done in place.
    bytes[length++] = byte ?? 0;
  }
  return utf8.decode(bytes.subarray(0, length));
}

/** 0 to 15, or -1 when there is no byte or it is no hex digit. */
function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function candidatesByLength(): (readonly Candidate[])[] {
  if (SIGNIFICANT_FIELDS.length > SIGNIFICANT_MAX) throw new RangeError('more significant fields than bits');
  const lengthMax = Math.max(...SIGNIFICANT_FIELDS.map((name) => name.length));
  return Array.from({ length: lengthMax + 1 }, (_, length) => {
    const candidates = SIGNIFICANT_FIELDS.flatMap((name, index) =>
      name.length === length ? [{ name, index }] : [],
    );
    return candidates.length === 0 ? NOT_SIGNIFICANT : candidates;
  });
}
