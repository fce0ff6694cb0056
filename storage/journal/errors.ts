/**
 * What can go wrong with a journal, one class per failure. What an append can meet (`LogFullError`, `LogClosedError`)
 * and a read (`LogReadError`) belongs to the contract and stands in `runtime/errors.ts`.
 */
import { TetherError } from '../../runtime/errors.js';

/** What is on the disk is not what was written. Nothing was changed; an operator decides. */
export class JournalDamagedError extends TetherError {
  readonly code = 'TETHER_JOURNAL_DAMAGED';
  readonly retryable = false;
  readonly path: string;
  /** Byte position in the file; 0 when the file as a whole is meant. */
  readonly position: number;

  constructor(path: string, position: number, reason: string) {
    super(`journal damaged: ${path} at byte ${position}: ${reason}`);
    this.path = path;
    this.position = position;
  }
}

/** The files were written by a version of the format that this program does not read. */
export class JournalFormatError extends TetherError {
  readonly code = 'TETHER_JOURNAL_FORMAT';
  readonly retryable = false;
}

/** Another process owns the directory. */
export class JournalLockedError extends TetherError {
  readonly code = 'TETHER_JOURNAL_LOCKED';
  readonly retryable = true;
  readonly pid: number;
  readonly why: string;

  constructor(directory: string, pid: number, why: string) {
    super(`journal ${directory} is in use by process ${pid}: ${why}`);
    this.pid = pid;
    this.why = why;
  }
}

/** The directory cannot be made, read or written. */
export class JournalDirectoryError extends TetherError {
  readonly code = 'TETHER_JOURNAL_DIRECTORY';
  readonly retryable = false;
}

/** The journal holds uncommitted messages under another number of partitions. */
export class JournalPartitionsError extends TetherError {
  readonly code = 'TETHER_JOURNAL_PARTITIONS';
  readonly retryable = false;
}
