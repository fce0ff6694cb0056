/** The error for a file whose header cannot be used. */
import { TetherError } from '../../../runtime/errors.js';

/**
 * A required column is missing or there twice, or there are too many columns: no row of the file can be read. The message names
 * fields and known headers only and never quotes the file: what stands where the header should be may be a debtor.
 */
export class HeaderError extends TetherError {
  readonly code = 'TETHER_UPLOAD_HEADER';
  readonly retryable = false;
}
