/** The errors of the forwarding actor. None quotes a body, a secret, or more of a URL than its host. */
import { OutageError, TetherError } from '../../runtime/errors.js';

/** A message of the forwarding actor that is no delivery to a target. */
export class ForwardMessageError extends TetherError {
  readonly code = 'TETHER_FORWARD_MESSAGE';
  readonly retryable = false;
}

/** The host of a target is, or resolves to, an address that its settings do not allow. */
export class ForwardAddressError extends TetherError {
  readonly code = 'TETHER_FORWARD_ADDRESS';
  readonly retryable = true;
}

/** The target answered with a status that its settings call final. */
export class ForwardRefusedError extends TetherError {
  readonly code = 'TETHER_FORWARD_REFUSED';
  readonly retryable = false;
}

/** The target did not take a delivery for as long as its settings allow; the message says how its last attempt ended. */
export class ForwardExhaustedError extends TetherError {
  readonly code = 'TETHER_FORWARD_EXHAUSTED';
  readonly retryable = false;
}

/** The thread ends, or loses the key, while a request is under way. It is made again. */
export class ForwardInterruptedError extends OutageError {
  readonly code = 'TETHER_FORWARD_INTERRUPTED';
}
