/**
 * A sheet's rows, as its XML goes by.
 *
 * Rows and cells may be left out, and say where they stand (`r="C5"`); those that do not, stand behind the one before. They have to be in
 * order: that is what lets a reading begin anew behind a line.
 */
import {
  CELL_LENGTH_MAX,
  COLUMNS_MAX,
  cellTooLong,
  hasText,
  RECORD_BYTES_MAX,
  tooManyColumns,
} from '../limits.js';
import { rowTooLong } from '../records.js';
import type { Row } from '../table-file.js';
import { decodeEscapes, type Epoch, isoDateText, type NumberKind, numberText } from './cell-text.js';
import type { SharedStrings } from './shared-strings.js';
import { malformed, type XmlHandler } from './xml.js';
import type { Budget } from './zip.js';

/** As many as the standard's programs have. */
const ROWS_MAX = 1_048_576;

interface SheetContext {
  readonly strings: SharedStrings | undefined;
  readonly kinds: readonly NumberKind[];
  readonly epoch: Epoch;
  readonly budget: Budget;
}

export class SheetHandler implements XmlHandler {
  /** Complete rows with text; the caller takes them away. */
  rows: Row[] = [];
  /** Characters in `rows`. */
  length = 0;
  readonly #context: SheetContext;
  readonly #fromLine: number;
  #inRows = false;
  #line = 0;
  #cells: string[] = [];
  #rowLength = 0;
  #column = -1;
  #type = 'n';
  #style = 0;
  #text = '';
  #taking = false;
  #phonetic = false;

  /** Rows before `fromLine` are left out. */
  constructor(context: SheetContext, fromLine: number) {
    this.#context = context;
    this.#fromLine = fromLine;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'sheetData') this.#inRows = true;
    if (!this.#inRows) return;
    if (name === 'row') this.#openRow(attributes.r);
    else if (name === 'c') this.#openCell(attributes);
    else if (name === 'rPh') this.#phonetic = true;
    else if (name === 'v' || name === 't') this.#taking = !this.#phonetic;
  }

  close(name: string): void {
    if (!this.#inRows) return;
    if (name === 'v' || name === 't') this.#taking = false;
    else if (name === 'rPh') this.#phonetic = false;
    else if (name === 'c') this.#closeCell();
    else if (name === 'row') this.#closeRow();
    else if (name === 'sheetData') this.#inRows = false;
  }

  text(text: string): void {
    if (!this.#taking) return;
    this.#text += text;
    if (this.#text.length > CELL_LENGTH_MAX) throw cellTooLong(this.#line);
  }

  #openRow(reference: string | undefined): void {
    const line = reference === undefined ? this.#line + 1 : Number(reference);
    if (!Number.isInteger(line) || line <= this.#line || line > ROWS_MAX)
      throw malformed('rows are not in order');
    this.#line = line;
    this.#cells = [];
    this.#rowLength = 0;
    this.#column = -1;
  }

  #openCell({ r, t, s }: Readonly<Record<string, string>>): void {
    const column = r === undefined ? this.#column + 1 : columnOf(r);
    if (column === undefined || column <= this.#column) throw malformed('cells are not in order');
    this.#column = column;
    this.#type = t ?? 'n';
    this.#style = s === undefined ? 0 : Number(s);
    this.#text = '';
  }

  #closeCell(): void {
    const value = this.#text === '' ? '' : this.#value();
    if (value === '') return;
    if (this.#column >= COLUMNS_MAX) throw tooManyColumns(this.#line);
    if (value.length > CELL_LENGTH_MAX) throw cellTooLong(this.#line);
    this.#rowLength += value.length;
    if (this.#rowLength > RECORD_BYTES_MAX) throw rowTooLong(this.#line, RECORD_BYTES_MAX);
    while (this.#cells.length < this.#column) this.#cells.push('');
    this.#cells.push(value);
  }

  #value(): string {
    const { strings, kinds, epoch, budget } = this.#context;
    switch (this.#type) {
      case 's': {
        const text = /^\s*\d{1,9}\s*$/.test(this.#text) ? strings?.get(Number(this.#text)) : undefined;
        if (text === undefined) throw malformed('a cell has a text that is not there');
        // A few bytes name a long text, over and over.
        budget.take(text.length);
        return text;
      }
      case 'b':
        return this.#text.trim() === '1' ? 'TRUE' : 'FALSE';
      case 'd':
        return isoDateText(this.#text.trim());
      case 'str':
      case 'inlineStr':
      case 'e':
        return decodeEscapes(this.#text);
      default:
        return numberText(this.#text.trim(), kinds[this.#style] ?? 'number', epoch);
    }
  }

  #closeRow(): void {
    if (this.#line < this.#fromLine || !hasText(this.#cells)) return;
    this.rows.push({ line: this.#line, cells: this.#cells });
    this.length += this.#rowLength;
  }
}

/** From 0; undefined when it is none. */
function columnOf(reference: string): number | undefined {
  let column = 0;
  let letters = 0;
  for (; letters < reference.length; letters++) {
    const letter = reference.charCodeAt(letters) - 0x40;
    if (letter < 1 || letter > 26) break;
    column = column * 26 + letter;
  }
  return letters >= 1 && letters <= 3 ? column - 1 : undefined;
}
