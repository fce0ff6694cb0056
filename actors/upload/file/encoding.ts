/**
 * Bytes to text: which encoding, and text only of bytes that it knows.
 *
 * A character that stands for unknown bytes would be a wrong name or a wrong IBAN that nobody notices, so such bytes refuse the file.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { FileError } from './errors.js';
import type { TableDescription } from './table-file.js';

export type Encoding = Extract<TableDescription['format'], { kind: 'text' }>['encoding'];
/** Code units in memory: bytes, or the 16-bit units of UTF-16 in this machine's order. All that the scanner looks for is one unit. */
export type Units = Uint8Array | Uint16Array;

const LF = 0x0a;
const CR = 0x0d;

const utf16 = new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true });
/** Where Windows-1252 is not Latin-1: 0x80 to 0x9f. The five that it leaves open stay control characters, as WHATWG has them. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

export function unitBytes(encoding: Encoding): 1 | 2 {
  return encoding === 'utf-16le' || encoding === 'utf-16be' ? 2 : 1;
}

/** Of the byte order mark; undefined when there is none, or one of 32 bits. */
export function byteOrderMark(
  bytes: Uint8Array,
): { readonly encoding: Encoding; readonly bytes: number } | undefined {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', bytes: 3 };
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', bytes: 2 };
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', bytes: 2 };
  return undefined;
}

/** Looks, chunk by chunk, whether a file without a mark is UTF-8. */
export class Utf8Check {
  #decoder = new TextDecoder('utf-8', { fatal: true });
  #open = false;
  #valid = true;
  #ascii = true;

  /** Nothing but ASCII so far: either encoding would do. */
  get undecided(): boolean {
    return this.#ascii;
  }

  add(chunk: Uint8Array): void {
    const ascii = isAscii(chunk);
    if (!ascii) this.#ascii = false;
    if (!this.#valid || (ascii && !this.#open)) return;
    try {
      this.#decoder.decode(chunk, { stream: true });
      this.#open = !ascii;
    } catch {
      this.#valid = false;
    }
  }

  /** `cut`: the file goes on behind what was seen, and the last character may be half of one. */
  encoding(cut: boolean): Encoding {
    if (!this.#valid) return 'windows-1252';
    try {
      if (!cut) this.#decoder.decode();
      return 'utf-8';
    } catch {
      return 'windows-1252';
    }
  }
}

/** `bytes` at an even offset of their memory, and of an even length, for 16 bits. */
export function unitsOf(bytes: Buffer, encoding: Encoding): Units {
  if (encoding === 'utf-8' || encoding === 'windows-1252') return bytes;
  // A copy, because swapping changes the bytes, and the caller may show them again.
  const little = encoding === 'utf-16be' ? Buffer.from(bytes).swap16() : bytes;
  const aligned = little.byteOffset % 2 === 0 ? little : new Uint8Array(little);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}

/** `line`: of the first unit. @throws FileError `not-a-table`, `invalid-encoding` */
export function decodeUnits(units: Units, encoding: Encoding, line: number): string {
  if (units.indexOf(0) !== -1) {
    const where = line + linesBefore(units, units.indexOf(0));
    throw new FileError('not-a-table', 'a NUL character, which no text has', { line: where });
  }
  const bytes = Buffer.from(units.buffer, units.byteOffset, units.byteLength);
  if (units instanceof Uint16Array) {
    try {
      return utf16.decode(bytes);
    } catch {
      throw invalidEncoding('UTF-16', line + linesUntil(units, (part) => !isUtf16(part)));
    }
  }
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (encoding === 'windows-1252') return decodeWindows1252(bytes);
  if (!isUtf8(bytes)) throw invalidEncoding('UTF-8', line + linesUntil(units, (part) => !isUtf8(part)));
  return bytes.toString('utf8');
}

/** Not by `TextDecoder`: that of Node 20 reads Latin-1 for it, and a euro sign becomes a control character. */
function decodeWindows1252(bytes: Buffer): string {
  const latin1 = bytes.toString('latin1');
  return latin1.replace(
    /[\x80-\x9f]/g,
    (character) => WINDOWS_1252[character.charCodeAt(0) - 0x80] ?? character,
  );
}

function invalidEncoding(name: string, line: number): FileError {
  return new FileError('invalid-encoding', `the file is ${name} up to here, and these bytes are not`, {
    line,
  });
}

function isUtf16(units: Units): boolean {
  try {
    utf16.decode(Buffer.from(units.buffer, units.byteOffset, units.byteLength));
    return true;
  } catch {
    return false;
  }
}

/** Line ends in front of the first line that `bad` says yes to. */
function linesUntil(units: Units, bad: (line: Units) => boolean): number {
  let lines = 0;
  let start = 0;
  while (start < units.length) {
    let end = start;
    while (end < units.length && units[end] !== LF && units[end] !== CR) end++;
    if (bad(units.subarray(start, end))) break;
    start = units[end] === CR && units[end + 1] === LF ? end + 2 : end + 1;
    lines++;
  }
  return lines;
}

function linesBefore(units: Units, index: number): number {
  let lines = 0;
  for (let i = 0; i < index; i++) {
    if (units[i] === LF || (units[i] === CR && units[i + 1] !== LF)) lines++;
  }
  return lines;
}
