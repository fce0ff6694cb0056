/** What a row may come to, whatever its format. A row beyond is no row of a table, and would cost memory. */
import { FileError } from './errors.js';

export const COLUMNS_MAX = 500;
/** UTF-16 units, as JavaScript counts. */
export const CELL_LENGTH_MAX = 64 * 1024;
export const RECORD_BYTES_MAX = 1024 * 1024;

/** @throws FileError */
export function checkRow(cells: readonly string[], line: number): void {
  if (cells.length > COLUMNS_MAX) throw tooManyColumns(line);
  for (let i = 0; i < cells.length; i++) {
    if ((cells[i] ?? '').length > CELL_LENGTH_MAX) throw cellTooLong(line);
  }
}

export function tooManyColumns(line: number): FileError {
  return new FileError('too-many-columns', `the row has more than ${COLUMNS_MAX} columns`, { line });
}

export function cellTooLong(line: number): FileError {
  return new FileError('cell-too-long', `a cell is longer than ${CELL_LENGTH_MAX} characters`, { line });
}

/** Whether any cell holds more than white space. */
export function hasText(cells: readonly string[]): boolean {
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] ?? '';
    // The usual first character decides without a copy; what trim() takes away lies at 0x20 and below or at 0x7f and above.
    const first = cell.charCodeAt(0);
    if (first > 0x20 && first < 0x7f) return true;
    if (cell.trim() !== '') return true;
  }
  return false;
}
