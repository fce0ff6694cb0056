/**
 * Complete records to rows: decodes them, splits their fields, says on which line each stands.
 *
 * papaparse splits. It gets text that can be read in one way only (see `records.ts`), so whatever it complains about is an error of ours.
 */
import Papa from 'papaparse';
import { decodeUnits, type Encoding, type Units } from './encoding.js';
import { checkRow, hasText } from './limits.js';
import { canonicalUnits, type Records } from './records.js';
import type { Row } from './table-file.js';

interface Parsed {
  readonly rows: Row[];
  /** Line ends in all of the records. */
  readonly lines: number;
}

/** `line`: of the first record. Rows without text are left out. @throws FileError */
export function parseRecords(
  units: Units,
  records: Records,
  encoding: Encoding,
  delimiter: string,
  line: number,
): Parsed {
  const table = splitRecords(units, records, encoding, delimiter, line);
  const starts = records.quoted?.startLines;
  const count = table.length;
  const rows: Row[] = [];
  for (let i = 0; i < count; i++) {
    const cells = table[i] ?? [];
    if (!hasText(cells)) continue;
    const at = line + (starts?.[i] ?? i);
    checkRow(cells, at);
    rows.push({ line: at, cells });
  }
  // See `Piece.rows`.
  table.length = 0;
  return { rows, lines: records.quoted?.lines ?? count };
}

/** The cells of each record, blank ones included, whatever their number and length. @throws FileError what the encoding does not know */
export function splitRecords(
  units: Units,
  records: Records,
  encoding: Encoding,
  delimiter: string,
  line: number,
): string[][] {
  if (records.end === 0) return [];
  if (records.quoted === undefined) {
    return splitLines(decodeUnits(units.subarray(0, records.textEnd), encoding, line), delimiter);
  }
  // Written anew, lines stay lines: the line of an error is the file's.
  const text = decodeUnits(canonicalUnits(units, records), encoding, line);
  const table = split(text, delimiter, false);
  const found = records.quoted.startLines.length;
  if (found !== table.length) throw new Error(`${found} records were found and ${table.length} split`);
  return table;
}

function splitLines(text: string, delimiter: string): string[][] {
  return split(text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text, delimiter, true);
}

/**
 * By the library's inner parser: `Papa.parse` would look for options that are all given, and leaves its results linked to one another, so that
 * V8 copies each of them, dead ones too, and a row takes twice the time.
 */
function split(text: string, delimiter: string, fastMode: boolean): string[][] {
  if (text === '') return [['']];
  const parser = new Papa.Parser({ delimiter, newline: '\n', fastMode });
  const { data, errors } = parser.parse(text, 0, false) as Papa.ParseResult<string[]>;
  if (errors.length > 0) throw new Error(`papaparse: ${errors[0]?.code} in text that was checked`);
  return data;
}
