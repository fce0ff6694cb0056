/**
 * What the gateway asks of a sender's protocol: is this body genuine, whose turn is it, and what does the sender want to
 * hear. One provider is made per endpoint, with its secrets.
 */

import type { AsciiText } from '../../runtime/ascii-text.js';

/** A genuine message. Keys that are bytes are valid until the provider recognises the next one. */
export interface Accepted {
  readonly outcome: 'accepted';
  /** The actor's key. */
  readonly key: string | AsciiText;
  /** The idempotency key. */
  readonly dedupe: string | AsciiText;
  /** The body of the success answer. It may only be sent when the message is on the log (P1). */
  readonly answer: Uint8Array;
}

/** `malformed`: nobody could read it. `forged`: it is not signed by anyone who knows a secret. */
export interface Refused {
  readonly outcome: 'malformed' | 'forged';
  /** For people; names fields, never quotes a value. */
  readonly reason: string;
}

export type Verdict = Accepted | Refused;

export interface Provider {
  /** The media type of its bodies, in lower case, without parameters. */
  readonly mediaType: string;
  /** The media type of `Accepted.answer`. */
  readonly answerMediaType: Uint8Array;
  /** Never throws, whatever the bytes. Keeps no reference to `body`. */
  recognise(body: Buffer): Verdict;
}
