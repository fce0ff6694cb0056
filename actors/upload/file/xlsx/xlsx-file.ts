/**
 * The first visible sheet of a spreadsheet, as a table.
 *
 * A zip cannot be entered in the middle: reading that goes on behind a line reads the sheet from its beginning and leaves out what stands before.
 * Memory holds the workbook's texts (outside of the heap), and one piece.
 */
import { FileError } from '../errors.js';
import type { ByteSource, Piece, Position, Row, TableDescription, TableFile } from '../table-file.js';
import { readSharedStrings, type SharedStrings } from './shared-strings.js';
import { SheetHandler } from './sheet.js';
import { readWorkbook, type Workbook } from './workbook.js';
import { xmlSteps } from './xml.js';
import { Budget, Zip } from './zip.js';

const PIECE_ROWS = 2_000;
/** A piece ends earlier when its texts are long. */
const PIECE_LENGTH = 1024 * 1024;

interface OpenBook {
  readonly zip: Zip;
  readonly workbook: Workbook;
  readonly strings: SharedStrings | undefined;
}

/** @throws FileError, and what the source throws */
export async function openXlsx(source: ByteSource, saved?: TableDescription): Promise<TableFile> {
  if (saved !== undefined) return new XlsxFile(source, saved, undefined);
  const book = await openBook(source);
  const header = await firstRow(source, book);
  const description: TableDescription = {
    format: { kind: 'xlsx' },
    header: header.cells,
    first: { byte: 0, line: header.line + 1 },
  };
  return new XlsxFile(source, description, book);
}

class XlsxFile implements TableFile {
  readonly description: TableDescription;
  readonly #source: ByteSource;
  #book: OpenBook | undefined;

  constructor(source: ByteSource, description: TableDescription, book: OpenBook | undefined) {
    this.#source = source;
    this.description = description;
    this.#book = book;
  }

  async *pieces(from: Position): AsyncGenerator<Piece> {
    this.#book ??= await openBook(this.#source);
    yield* readSheet(this.#source, this.#book, from.line);
  }
}

async function openBook(source: ByteSource): Promise<OpenBook> {
  const zip = await Zip.open(source);
  const budget = new Budget();
  const workbook = await readWorkbook(zip, budget);
  const strings =
    workbook.sharedStrings === undefined
      ? undefined
      : await readSharedStrings((await zip.part(workbook.sharedStrings, budget)).chunks);
  return { zip, workbook, strings };
}

async function firstRow(source: ByteSource, book: OpenBook): Promise<Row> {
  for await (const { rows } of readSheet(source, book, 1)) {
    const [row] = rows;
    if (row !== undefined) return row;
  }
  throw new FileError('empty', 'the sheet has no row with text in it');
}

async function* readSheet(source: ByteSource, book: OpenBook, fromLine: number): AsyncGenerator<Piece> {
  const { zip, workbook, strings } = book;
  const budget = new Budget();
  const sheet = new SheetHandler({ strings, kinds: workbook.kinds, epoch: workbook.epoch, budget }, fromLine);
  const { chunks, progress } = await zip.part(workbook.sheet, budget);
  for await (const _ of xmlSteps(chunks, sheet)) {
    if (sheet.rows.length >= PIECE_ROWS || sheet.length >= PIECE_LENGTH) yield piece();
  }
  if (sheet.rows.length > 0) yield piece();

  function piece(): Piece {
    const { rows } = sheet;
    sheet.rows = [];
    sheet.length = 0;
    const byte = Math.min(source.bytes, Math.round(source.bytes * progress()));
    return { rows, next: { byte, line: (rows.at(-1)?.line ?? 0) + 1 } };
  }
}
