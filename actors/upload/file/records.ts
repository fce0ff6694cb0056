/**
 * Finds where records end: what lets a file be cut into chunks that are read each by itself, and begun anew at any of them.
 *
 * A record ends at CRLF, LF or CR, each for itself, but not within quotes. A quote opens only at the very start of a field; within, a doubled quote is
 * one quote; it closes before a delimiter or a line end, spaces between them allowed. What is not like that (RFC 4180) but can be read in
 * one way only is read in that way: a field that opens with a quote and goes on behind its closing one (`"a"b`) means its characters as they
 * stand. When such a field would hold a delimiter or a line break within the quotes, it may as well be two: that refuses the file, because the other
 * reading joins rows or shifts columns without a word.
 *
 * The library that splits fields knows one line end and only RFC 4180's quotes: `canonicalUnits` writes anew what is not so.
 */
import type { Units } from './encoding.js';
import { FileError } from './errors.js';
import { RECORD_BYTES_MAX } from './limits.js';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;

/** A part of the units that is written differently; in order, not overlapping. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly to: 'line-feed' | 'quoted' | 'nothing';
}

export interface Records {
  /** Units of the complete records, their line ends included. 0: not one is complete. */
  readonly end: number;
  /** `end` without the last line end. */
  readonly textEnd: number;
  /** Of the records with quotes among them; undefined when there is no quote and every line is a record. */
  readonly quoted:
    | {
        /** Line of each record, the first being 0. */
        readonly startLines: readonly number[];
        /** Line ends up to `end`. */
        readonly lines: number;
        readonly edits: readonly Edit[];
      }
    | undefined;
}

interface RecordOptions {
  readonly delimiter: number;
  /** Nothing follows: the last record needs no line end. */
  readonly final: boolean;
  /** Of the first unit; for errors. */
  readonly line: number;
  readonly recordUnitsMax: number;
  /** Looks no further than so many records. */
  readonly recordsMax?: number;
  /** Ends in front of a record that would be refused. */
  readonly tolerant?: boolean;
}

/** `units` begin at the start of a record. @throws FileError */
export function findRecords(units: Units, options: RecordOptions): Records {
  // What is longer than one record may be is looked at closely, so that the limit does not depend on how the bytes came.
  const close = units.length > options.recordUnitsMax || options.recordsMax !== undefined;
  if (!close && units.indexOf(QUOTE) === -1) return findLines(units, options.final);
  return new Scan(units, options).run();
}

function findLines(units: Units, final: boolean): Records {
  let end = units.length;
  if (!final) {
    // A CR at the very end may be half of a CRLF.
    const from = end - 1 - (units[end - 1] === CR ? 1 : 0);
    end = from < 0 ? 0 : Math.max(units.lastIndexOf(LF, from), units.lastIndexOf(CR, from)) + 1;
  }
  let textEnd = end;
  if (units[textEnd - 1] === LF) textEnd--;
  if (units[textEnd - 1] === CR) textEnd--;
  return { end, textEnd, quoted: undefined };
}

/** The text of the records, with LF as the only line end outside of quotes and no quotes but RFC 4180's. */
export function canonicalUnits(units: Units, records: Records): Units {
  const edits = records.quoted?.edits ?? [];
  if (edits.length === 0) return units.subarray(0, records.textEnd);
  let room = records.textEnd;
  for (const { start, end, to } of edits) if (to === 'quoted') room += end - start + 2;
  const out = units instanceof Uint16Array ? new Uint16Array(room) : new Uint8Array(room);
  let length = 0;
  let copied = 0;
  const copy = (until: number): void => {
    out.set(units.subarray(copied, until), length);
    length += until - copied;
  };
  for (const { start, end, to } of edits) {
    if (start >= records.textEnd) break;
    copy(start);
    copied = end;
    if (to === 'line-feed') out[length++] = LF;
    if (to !== 'quoted') continue;
    out[length++] = QUOTE;
    for (let i = start; i < end; i++) {
      const unit = units[i] ?? 0;
      out[length++] = unit;
      if (unit === QUOTE) out[length++] = QUOTE;
    }
    out[length++] = QUOTE;
  }
  copy(Math.max(copied, records.textEnd));
  return out.subarray(0, length);
}

const INCOMPLETE = -1;

/** One walk over units with quotes in them. */
class Scan {
  readonly #units: Units;
  readonly #options: RecordOptions;
  readonly #startLines: number[] = [];
  readonly #edits: Edit[] = [];
  /** Line ends so far. */
  #lines = 0;
  /** The record has a field that opens with a quote and means it as a character. */
  #literal = false;
  /** Line of the quote that was open when the units ended. */
  #openLine: number | undefined;
  #textEnd = 0;

  constructor(units: Units, options: RecordOptions) {
    this.#units = units;
    this.#options = options;
  }

  run(): Records {
    const { recordsMax = Number.POSITIVE_INFINITY } = this.#options;
    let end = 0;
    while (end < this.#units.length && this.#startLines.length < recordsMax) {
      const lines = this.#lines;
      const edits = this.#edits.length;
      const next = this.#completeRecord(end, lines);
      if (next === INCOMPLETE) {
        this.#lines = lines;
        this.#edits.length = edits;
        break;
      }
      this.#startLines.push(lines);
      end = next;
    }
    return {
      end,
      textEnd: this.#textEnd,
      quoted: { startLines: this.#startLines, lines: this.#lines, edits: this.#edits },
    };
  }

  #completeRecord(start: number, line: number): number {
    try {
      const next = this.#record(start);
      const length = (next === INCOMPLETE ? this.#units.length : next) - start;
      if (length > this.#options.recordUnitsMax) {
        throw this.#openLine === undefined
          ? rowTooLong(this.#options.line + line, RECORD_BYTES_MAX)
          : this.#unclosed(this.#openLine);
      }
      return next;
    } catch (error) {
      if (this.#options.tolerant && error instanceof FileError) return INCOMPLETE;
      throw error;
    }
  }

  /** The offset behind the record, its line end included. */
  #record(start: number): number {
    const units = this.#units;
    const { delimiter, final } = this.#options;
    this.#literal = false;
    let at = start;
    for (;;) {
      at = units[at] === QUOTE ? this.#quotedField(at) : this.#plainField(at);
      if (at === INCOMPLETE) return INCOMPLETE;
      if (units[at] !== delimiter) break;
      at++;
    }
    if (at >= units.length) {
      if (!final) return INCOMPLETE;
      this.#lines++;
      this.#textEnd = at;
      return at;
    }
    if (units[at] === CR && at + 1 >= units.length && !final) return INCOMPLETE;
    const next = units[at] === CR && units[at + 1] === LF ? at + 2 : at + 1;
    if (units[at] === CR) this.#edits.push({ start: at, end: next, to: 'line-feed' });
    this.#lines++;
    this.#textEnd = at;
    return next;
  }

  /** To the delimiter or line end behind the field, or the units' end. */
  #plainField(start: number): number {
    const end = this.#fieldEnd(start);
    // At the units' end the quote may stand within the field.
    const known = end < this.#units.length || this.#options.final;
    if (this.#literal && known && end > start && this.#units[end - 1] === QUOTE) throw this.#ambiguous();
    return end;
  }

  #fieldEnd(start: number): number {
    const units = this.#units;
    const { delimiter } = this.#options;
    let at = start;
    while (at < units.length) {
      const unit = units[at];
      if (unit === delimiter || unit === LF || unit === CR) break;
      at++;
    }
    return at;
  }

  #quotedField(start: number): number {
    const units = this.#units;
    const { length } = units;
    const { delimiter, final } = this.#options;
    const openLine = this.#lines;
    let splits = false;
    let at = start + 1;
    for (;;) {
      while (at < length) {
        const unit = units[at];
        if (unit === QUOTE) break;
        if (unit === LF || (unit === CR && units[at + 1] !== LF)) this.#lines++;
        if (unit === delimiter || unit === LF || unit === CR) splits = true;
        at++;
      }
      if (at >= length) {
        this.#openLine = openLine;
        if (final) throw this.#unclosed(openLine);
        return INCOMPLETE;
      }
      if (units[at + 1] !== QUOTE) break;
      at += 2;
    }
    let behind = at + 1;
    while (units[behind] === SPACE) behind++;
    if (behind >= length && !final) return INCOMPLETE;
    const unit = units[behind];
    if (behind >= length || unit === delimiter || unit === LF || unit === CR) {
      if (behind > at + 1) this.#edits.push({ start: at + 1, end: behind, to: 'nothing' });
      return behind;
    }
    if (splits) throw this.#ambiguous(openLine);
    this.#literal = true;
    const end = this.#fieldEnd(behind);
    this.#edits.push({ start, end, to: 'quoted' });
    return end;
  }

  #unclosed(line: number): FileError {
    return new FileError('unclosed-quote', 'a quote opens a cell here and is not closed', {
      line: this.#options.line + line,
    });
  }

  #ambiguous(line = this.#lines): FileError {
    return new FileError(
      'ambiguous-quote',
      'a quote within a quoted cell is not doubled, and the row can be read in more than one way',
      { line: this.#options.line + line },
    );
  }
}

export function rowTooLong(line: number, bytesMax: number): FileError {
  return new FileError('row-too-long', `the row is longer than ${bytesMax} bytes`, { line });
}
