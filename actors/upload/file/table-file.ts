/**
 * A file of rows, as the upload actor reads it: what csv and xlsx have in common.
 *
 * A file is read in pieces of complete rows. Reading can begin anew at the `next` of any piece, in another process: that is the
 * checkpoint of an upload.
 */
import type { Readable } from 'node:stream';

/** Where an object's bytes come from: `ObjectStore.read`, bound to a key. `end` exclusive. */
export interface ByteSource {
  readonly bytes: number;
  read(start: number, end?: number): Promise<Readable>;
}

export interface Row {
  /** The file's own, from 1; of a row with several lines, its first. */
  readonly line: number;
  /** As they stand in the file, untrimmed. A spreadsheet's numbers and dates as text: `1234.5`, `2026-11-25`. */
  readonly cells: readonly string[];
}

/** Before a row. Plain data, for a table. */
export interface Position {
  /** Of the object; for xlsx an estimate that only serves progress. */
  readonly byte: number;
  readonly line: number;
}

export interface Piece {
  /**
   * Never empty but for the last piece. Rows without any text are left out.
   *
   * Whoever has read them empties the array: a dead piece in V8's old space keeps what it refers to, which then grows old in turn, and so
   * on from piece to piece. Half of the garbage was copied for that, a fourth of the thread's time.
   */
  readonly rows: Row[];
  /** Of the row behind the piece. */
  readonly next: Position;
}

/** What was found out at a file's beginning; kept with the checkpoint, so that a resumed reading does not guess again. Plain data. */
export interface TableDescription {
  readonly format:
    | {
        readonly kind: 'text';
        readonly encoding: 'utf-8' | 'windows-1252' | 'utf-16le' | 'utf-16be';
        readonly delimiter: ',' | ';' | '\t' | '|';
      }
    | { readonly kind: 'xlsx' };
  /** Cells of the first row that is not empty. */
  readonly header: readonly string[];
  /** Where the rows begin. */
  readonly first: Position;
}

export interface TableFile {
  readonly description: TableDescription;
  /** From `from`, which is `description.first` or the `next` of a piece. @throws FileError, and what the source throws */
  pieces(from: Position): AsyncIterable<Piece>;
}
