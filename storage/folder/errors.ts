/** What can go wrong with a folder of records, one class per failure. */
import { OutageError, TetherError } from '../../runtime/errors.js';

/** The operating system refuses a file of the folder: no space, no permission, a broken disk. It may be repaired. */
export class FolderUnavailableError extends OutageError {
  readonly code = 'TETHER_FOLDER_UNAVAILABLE';
  /** System error code. */
  readonly reason: string;

  constructor(message: string, reason: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

/** A file is not what was written. It is left as it is; an operator decides. */
export class FolderDamagedError extends TetherError {
  readonly code = 'TETHER_FOLDER_DAMAGED';
  readonly retryable = false;
  readonly path: string;

  constructor(path: string, reason: string) {
    super(`folder damaged: ${path}: ${reason}`);
    this.path = path;
  }
}

/** A file was written by a version of the format that this program does not read. */
export class FolderFormatError extends TetherError {
  readonly code = 'TETHER_FOLDER_FORMAT';
  readonly retryable = false;
}

/** Another process owns the folder, or this one has not opened it. */
export class FolderLockedError extends TetherError {
  readonly code = 'TETHER_FOLDER_LOCKED';
  readonly retryable = true;
}

/** The folder is closed, or its lock was lost to another process. */
export class FolderClosedError extends TetherError {
  readonly code = 'TETHER_FOLDER_CLOSED';
  readonly retryable = false;
}

/** An error of the operating system as an outage; any other as it is. */
export function toFolderError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof TetherError || !('code' in error)) return error;
  const { code } = error;
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new FolderUnavailableError(`the folder cannot use ${path}: ${error.message}`, code, {
    cause: error,
  });
}
