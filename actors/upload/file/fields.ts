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
  readonly rows: readonly Row[];
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
  const rows: Row[] = [];
  for (let i = 0; i < table.length; i++) {
    const cells = table[i] ?? [];
    if (!hasText(cells)) continue;
    const at = line + (starts?.[i] ?? i);
    checkRow(cells, at);
    rows.push({ line: at, cells });
  }
  return { rows, lines: records.quoted?.lines ?? table.length };
}

/** The cells of each record, blank ones included, whatever their number and length. @throws FileError what the encoding does not know */
export function splitRecords(
  units: Units,
  records: Records,
  encoding: Encoding,
  delimiter: string,
  line: number,
): readonly string[][] {
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

function splitLines(text: string, delimiter: string): readonly string[][] {
  return split(text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text, delimiter, true);
}

function split(text: string, delimiter: string, fastMode: boolean): readonly string[][] {
  if (text === '') return [['']];
  // papaparse takes away a byte order mark from any text; within a file it is a character.
  const whole = text.startsWith('\ufeff') ? `\ufeff${text}` : text;
  const { data, errors } = Papa.parse<string[]>(whole, { delimiter, newline: '\n', fastMode });
  if (errors.length > 0) throw new Error(`papaparse: ${errors[0]?.code} in text that was checked`);
  return data;
}
