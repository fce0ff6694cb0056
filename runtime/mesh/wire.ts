/**
 * What goes over a port between two threads of a system: batches of everything that was sent in one turn.
 *
 *   uint32, little endian    length of the items
 *   items                    one msgpack array
 *   bytes                    bodies that are byte arrays, one after the other
 *
 * The array is flat, item after item, each begins with its kind:
 *
 *   TELL      type, key, how many, their bodies     one run for messages in a row to one actor
 *   BYTES     type, key, how many, their lengths    the same, of bodies that are byte arrays
 *   TRACED    type, key, traceparent, body
 *   ASK       id, type, key, traceparent, hops, body
 *   REPLY     id, value
 *   ERROR     id, code, message, reason, failure
 *   ABANDON   id
 *
 * A bare number in place of a batch says how many bytes were taken in. Ids are the asker's, one count for each direction of a port.
 */

import * as errors from '../errors.js';
import { TetherError } from '../errors.js';
import { causeOf, type Failure, failureOf } from '../failure.js';

export const TELL = 0;
export const TRACED = 1;
export const ASK = 2;
export const REPLY = 3;
export const ERROR = 4;
export const ABANDON = 5;
export const BYTES = 6;

const ASK_FAILED = new errors.AskFailedError('', '').code;

/** An error as it crosses: what class it is, what it says, and what it means for a retry. */
export type WireError = readonly [code: string, message: string, reason: string, failure: Failure];

/** An error of a store or a log in the main thread, to an actor that met it: of what class it is there is not known here. */
class ForwardedError extends TetherError {
  readonly code: string;
  readonly retryable: boolean;
  readonly outage: boolean;

  constructor(code: string, message: string, failure: Failure) {
    super(message);
    this.code = code;
    this.retryable = failure !== 'final';
    this.outage = failure === 'outage';
  }
}

/** Those that an ask may end with, by code. */
const CLASSES: ReadonlyMap<string, new (message: string) => TetherError> = new Map(
  [
    errors.AskTimeoutError,
    errors.AskCycleError,
    errors.MailboxFullError,
    errors.ActivationStoppedError,
    errors.ThreadLostError,
    errors.SystemModeError,
    errors.ReminderRefusedError,
    errors.UnknownActorError,
    errors.BodyError,
    errors.LogFullError,
    errors.LogUnavailableError,
    errors.LogClosedError,
  ].map((Class) => [new Class('').code, Class]),
);

export function toWire(error: Error): WireError {
  const { code, message } = causeOf(error);
  const reason = error instanceof errors.AskFailedError ? error.reason : code;
  return [code, message, reason, failureOf(error)];
}

export function fromWire(...[code, message, reason, failure]: WireError): Error {
  const Class = CLASSES.get(code);
  if (Class !== undefined) return new Class(message);
  if (code === ASK_FAILED) return new errors.AskFailedError(message, reason);
  return new ForwardedError(code, message, failure);
}
