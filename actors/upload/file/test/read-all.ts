/** Reading whole tables, and what reading them refuses. */
import { FileError } from '../errors.js';
import type { Position, Row, TableFile } from '../table-file.js';

interface Read {
  readonly rows: readonly Row[];
  /** The `next` of every piece. */
  readonly nexts: readonly Position[];
  /** Rows of every piece. */
  readonly sizes: readonly number[];
}

export async function readAll(table: TableFile, from: Position = table.description.first): Promise<Read> {
  const rows: Row[] = [];
  const nexts: Position[] = [];
  const sizes: number[] = [];
  for await (const piece of table.pieces(from)) {
    rows.push(...piece.rows);
    nexts.push(piece.next);
    sizes.push(piece.rows.length);
  }
  return { rows, nexts, sizes };
}

/** What it was refused for: `reason:line`; undefined when it was not. */
export async function refusal(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return error.line === undefined ? error.reason : `${error.reason}:${error.line}`;
  }
}
