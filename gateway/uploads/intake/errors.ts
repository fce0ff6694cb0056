/** How a stream into the object store can end without a result. */
import { OutageError, TetherError } from '../../../runtime/errors.js';

/** As many streams are under way as may be, or the node goes down. */
export class IntakeBusyError extends TetherError {
  readonly code = 'TETHER_INTAKE_BUSY';
  readonly retryable = true;
}

/** The client left, or the stream was given up, before its end. */
export class IntakeAbortedError extends TetherError {
  readonly code = 'TETHER_INTAKE_ABORTED';
  readonly retryable = true;
}

/** The thread of the stream ended, or never began. A multipart that it left is for the sweeper; an object goes when its upload is removed. */
export class IntakeLostError extends OutageError {
  readonly code = 'TETHER_INTAKE_LOST';
}

/** A failure that nobody foresaw, in the thread; the message is the original's. */
export class IntakeFailedError extends TetherError {
  readonly code = 'TETHER_INTAKE_FAILED';
  readonly retryable = false;
}
