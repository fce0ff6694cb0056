/**
 * What can be wrong with a file. Each reason is stable and documented: a client's program may branch on it.
 *
 * Messages are for the client, say where, and never quote what stands in the file.
 */
import { TetherError } from '../../../runtime/errors.js';

type FileReason =
  /** No row with text in it. */
  | 'empty'
  /** Neither text nor a spreadsheet that can be read: NUL characters, a broken zip, no workbook in it. */
  | 'not-a-table'
  /** Bytes that the file's encoding does not know. */
  | 'invalid-encoding'
  /** A quote opens a cell and nothing closes it. */
  | 'unclosed-quote'
  /** A quote within a quoted cell is not doubled, and the cell can be read in more than one way. */
  | 'ambiguous-quote'
  | 'row-too-long'
  | 'cell-too-long'
  | 'too-many-columns'
  | 'encrypted'
  /** A spreadsheet that becomes larger, when unpacked, than an honest one would. */
  | 'unpacks-too-large'
  /** A spreadsheet's parts are not the XML that they have to be. */
  | 'malformed-xml';

/** The file cannot be read, now or ever. */
class FileError extends TetherError {
  readonly code = 'TETHER_UPLOAD_FILE';
  readonly retryable = false;
  readonly reason: FileReason;
  /** The file's own, from 1; undefined when it is about the whole file. */
  readonly line: number | undefined;

  constructor(
    reason: FileReason,
    message: string,
    options?: { readonly line?: number; readonly cause?: unknown },
  ) {
    super(
      options?.line === undefined ? message : `Line ${options.line}: ${message}`,
      options?.cause === undefined ? undefined : { cause: options.cause },
    );
    this.reason = reason;
    this.line = options?.line;
  }
}

/** The source gave fewer bytes than the object has: a connection cut short, not the file's fault. */
class SourceEndedError extends TetherError {
  readonly code = 'TETHER_UPLOAD_SOURCE_ENDED';
  readonly retryable = true;
}

export { FileError, type FileReason, SourceEndedError };
