/** The error for a body that is no EMP notification. Its message names fields and never quotes a value. */
import { TetherError } from '../../runtime/errors.js';

export class EmpMalformedError extends TetherError {
  readonly code = 'TETHER_EMP_MALFORMED';
  readonly retryable = false;
}
