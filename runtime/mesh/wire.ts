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
 *   ERROR     id, code, message, reason
 *   ABANDON   id
 *
 * A bare number in place of a batch says how many bytes were taken in. Ids are the asker's, one count for each direction of a port.
 */

import type { TetherError } from '../errors.js';
import * as errors from '../errors.js';
import { causeOf } from '../failure.js';

export const TELL = 0;
export const TRACED = 1;
export const ASK = 2;
export const REPLY = 3;
export const ERROR = 4;
export const ABANDON = 5;
export const BYTES = 6;

/** An error as it crosses: what class it is, and what it says. */
export type WireError = readonly [code: string, message: string, reason: string];

/** Those that an ask may end with, by code. */
const CLASSES: ReadonlyMap<string, new (message: string) => TetherError> = new Map(
  [
    errors.AskTimeoutError,
    errors.AskCycleError,
    errors.MailboxFullError,
    errors.ActivationStoppedError,
    errors.ThreadLostError,
    errors.SystemModeError,
    errors.UnknownActorError,
    errors.BodyError,
    errors.LogFullError,
    errors.LogClosedError,
  ].map((Class) => [new Class('').code, Class]),
);

export function toWire(error: Error): WireError {
  const { code, message } = causeOf(error);
  return [code, message, error instanceof errors.AskFailedError ? error.reason : code];
}

export function fromWire(code: string, message: string, reason: string): Error {
  const Class = CLASSES.get(code);
  return Class === undefined ? new errors.AskFailedError(message, reason) : new Class(message);
}
