/** The error of measuring a node. */
import { TetherError } from '../../runtime/errors.js';

/** A node cannot be measured as it is, or what was changed for it could not be put back; the message says what to do. */
class TuneError extends TetherError {
  readonly code = 'TETHER_TUNE';
  readonly retryable = false;
}

export { TuneError };
