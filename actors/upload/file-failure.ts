/** A file that cannot be processed, now or ever, with what its client is told. */
import { TetherError } from '../../runtime/errors.js';
import { ObjectNotFoundError } from '../../storage/objects/errors.js';
import { HeaderError } from './debtor/errors.js';
import { FileError } from './file/errors.js';

/** A contract: `uploads.failure_code`. */
export type FileFailureReason = FileError['reason'] | 'wrong-header' | 'file-missing' | 'file-changed';

export class FileFailure extends TetherError {
  readonly code = 'TETHER_UPLOAD_FAILED';
  readonly retryable = false;
  readonly reason: FileFailureReason;

  /** @param detail for the client */
  constructor(reason: FileFailureReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** `error` as a failure of the file, if it is one; else as it is. */
export function asFileFailure(error: unknown): unknown {
  if (error instanceof FileError) return new FileFailure(error.reason, error.message);
  if (error instanceof HeaderError) return new FileFailure('wrong-header', error.message);
  if (error instanceof ObjectNotFoundError)
    return new FileFailure('file-missing', 'the file is no longer stored');
  return error;
}
