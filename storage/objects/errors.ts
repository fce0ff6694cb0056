/** What an object store says, whatever its driver. */
import { OutageError, TetherError } from '../../runtime/errors.js';

/** The store cannot be used now: no connection, a time limit, 5xx, a full disk. Nothing is wrong with the object. */
export class ObjectStoreUnavailableError extends OutageError {
  readonly code = 'TETHER_OBJECTS_UNAVAILABLE';
}

/** The object, or the multipart, is not there. */
export class ObjectNotFoundError extends TetherError {
  readonly code = 'TETHER_OBJECT_NOT_FOUND';
  readonly retryable = false;
}

/** The store refuses: wrong credentials, no such bucket, parts that are not those that are there. */
export class ObjectRefusedError extends TetherError {
  readonly code = 'TETHER_OBJECT_REFUSED';
  readonly retryable = false;
}

/** What names the store cannot be used: a URL that is none. The message says what is wrong with it, and never quotes it. */
export class ObjectStoreSettingsError extends TetherError {
  readonly code = 'TETHER_OBJECTS_SETTINGS';
  readonly retryable = false;
}

/** An `ObjectWriter` was aborted: what it was given is not kept. */
export class ObjectWriteAbortedError extends TetherError {
  readonly code = 'TETHER_OBJECT_WRITE_ABORTED';
  readonly retryable = false;
}
