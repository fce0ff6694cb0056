/**
 * Finds out, at a file's beginning, how the rest is to be read: encoding, delimiter, header.
 *
 * - Encoding: by the byte order mark; else UTF-8 when the beginning is, else Windows-1252. While nothing but ASCII comes, it reads on (up to
 *   `ASCII_BYTES_MAX`), because the first accent may be far down, and the file would be refused there.
 * - Delimiter: the one that cuts the header in at least two and most rows into as many as the header. When several do equally well, the one that
 *   is rarer within text: a comma may be in a name or an amount, a tab hardly is. None does: a table of one column, and the comma it is.
 */
import { byteOrderMark, type Encoding, type Units, Utf8Check, unitBytes, unitsOf } from './encoding.js';
import { FileError } from './errors.js';
import { parseRecords, splitRecords } from './fields.js';
import { hasText, RECORD_BYTES_MAX } from './limits.js';
import { findRecords, type Records, rowTooLong } from './records.js';
import type { ByteSource, Position, TableDescription } from './table-file.js';
import { ByteWindow, readChunks } from './window.js';

/** The header has to end within it. */
const SAMPLE_BYTES = 256 * 1024;
const ASCII_BYTES_MAX = 16 * 1024 * 1024;
const ROWS_COMPARED = 100;
/** Rarest within text first. */
const DELIMITERS = ['\t', '|', ';', ','] as const;
type Delimiter = (typeof DELIMITERS)[number];

/** @throws FileError, and what the source throws */
export async function describeText(source: ByteSource): Promise<TableDescription> {
  const sample = new ByteWindow(2 * SAMPLE_BYTES);
  const check = new Utf8Check();
  let mark: ReturnType<typeof byteOrderMark>;
  let layout: Layout | undefined;
  let read = 0;
  for await (const chunk of readChunks(source, 0)) {
    if (layout === undefined) sample.add(chunk);
    check.add(chunk);
    read += chunk.length;
    if (read < Math.min(SAMPLE_BYTES, source.bytes)) continue;
    if (layout === undefined) {
      mark = byteOrderMark(sample.bytes);
      // Refuses what is no table before more of it is read.
      layout = findLayout(sample.bytes, mark?.bytes ?? 0, mark?.encoding, read === source.bytes);
    }
    if (mark !== undefined || !check.undecided || read >= ASCII_BYTES_MAX) break;
  }
  if (layout === undefined) throw emptyFile();
  const encoding = mark?.encoding ?? check.encoding(read < source.bytes);
  const { delimiter, first } = layout;
  const [header] = parseRecords(layout.units, layout.records, encoding, delimiter, layout.line).rows;
  return { format: { kind: 'text', encoding, delimiter }, header: header?.cells ?? [], first };
}

interface Layout {
  readonly delimiter: Delimiter;
  /** The header's, alone. */
  readonly units: Units;
  readonly records: Records;
  readonly line: number;
  readonly first: Position;
}

function findLayout(sample: Buffer, start: number, marked: Encoding | undefined, final: boolean): Layout {
  // It only has to be right in where delimiters and line ends are: Windows-1252 stands for UTF-8 too, and refuses no bytes.
  const encoding = marked === undefined || marked === 'utf-8' ? 'windows-1252' : marked;
  const unit = unitBytes(encoding);
  const text = sample.subarray(start, sample.length - ((sample.length - start) % unit));
  const units = unitsOf(text, encoding);
  const delimiter = chooseDelimiter(units, encoding, final);
  let at = 0;
  let line = 1;
  while (at < units.length) {
    const rest = units.subarray(at);
    const records = findRecords(rest, { ...options(encoding, delimiter, final), line, recordsMax: 1 });
    if (records.end === 0) throw rowTooLong(line, SAMPLE_BYTES);
    const { rows, lines } = parseRecords(rest, records, encoding, delimiter, line);
    at += records.end;
    if (rows.length > 0) {
      const first = { byte: start + at * unit, line: line + lines };
      return { delimiter, units: rest, records, line, first };
    }
    line += lines;
  }
  throw emptyFile();
}

function chooseDelimiter(units: Units, encoding: Encoding, final: boolean): Delimiter {
  let best: { delimiter: Delimiter; columns: number; share: number } = {
    delimiter: ',',
    columns: 1,
    share: 0,
  };
  for (const delimiter of DELIMITERS) {
    const records = findRecords(units, {
      ...options(encoding, delimiter, final),
      line: 1,
      recordsMax: ROWS_COMPARED,
      tolerant: true,
    });
    const rows = splitRecords(units, records, encoding, delimiter, 1).filter(hasText);
    const columns = rows[0]?.length ?? 1;
    if (columns < 2) continue;
    const share = rows.filter((row) => row.length === columns).length / rows.length;
    if (share > best.share || (share === best.share && columns > best.columns)) {
      best = { delimiter, columns, share };
    }
  }
  return best.delimiter;
}

function options(encoding: Encoding, delimiter: Delimiter, final: boolean) {
  return {
    delimiter: delimiter.charCodeAt(0),
    final,
    recordUnitsMax: RECORD_BYTES_MAX / unitBytes(encoding),
  };
}

function emptyFile(): FileError {
  return new FileError('empty', 'the file has no row with text in it');
}
