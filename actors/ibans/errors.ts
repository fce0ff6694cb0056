/** What can be wrong with a sealed IBAN. No message holds an IBAN or any of a key: it names the key by its id, and the row. */
import { OutageError, TetherError } from '../../runtime/errors.js';

/**
 * Rows are sealed with a key that this process was not given: nobody can say whether an IBAN is among them. Nothing is wrong with the
 * message: it waits until the node has the key, or another node takes it.
 */
export class IbanKeyUnknownError extends OutageError {
  readonly code = 'TETHER_IBAN_KEY_UNKNOWN';
}

/** A sealed IBAN does not open: it was changed, or moved to another row, or its key's id stands for another key by now. */
export class IbanSealError extends TetherError {
  readonly code = 'TETHER_IBAN_SEAL';
  readonly retryable = false;
}
