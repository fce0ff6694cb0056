/**
 * What the gateway asks of a sender's protocol: is this body genuine, whose turn is it, and what does the sender want to
 * hear. One provider is made per endpoint, with its secrets.
 */

import type { AsciiText } from '../../runtime/ascii-text.js';

/** What becomes one envelope. Keys that are bytes are valid until the provider recognises the next request. */
export interface Message {
  /** The actor's key. */
  readonly key: string | AsciiText;
  /** The idempotency key. */
  readonly dedupe: string | AsciiText;
  /** What goes on the log; the body, when absent. */
  readonly payload?: Uint8Array;
}

/** A genuine request, and the first of its messages. */
export interface Accepted extends Message {
  readonly outcome: 'accepted';
  /** The body of the success answer. It may only be sent when all messages are on the log (P1). */
  readonly answer: Uint8Array;
  /** Of a sender that puts several events into one request: the others. Each has a payload. */
  readonly more?: readonly Message[];
}

/** A genuine request that is no message, such as the question whether anybody is there. It is answered, and not on the log. */
export interface Handshake {
  readonly outcome: 'handshake';
  readonly answer: Uint8Array;
}

/**
 * `malformed`: nobody could read it. `forged`: it shows no secret of the endpoint. `expired`: it does, and is so old (or so far
 * ahead) that it may be a copy of a request that somebody kept.
 */
export interface Refused {
  readonly outcome: 'malformed' | 'forged' | 'expired';
  /** For people; names fields and headers, never quotes a value. */
  readonly reason: string;
}

export type Verdict = Accepted | Handshake | Refused;

export interface Provider {
  /** The media types of its bodies, in lower case, without parameters; none: any, and also none at all. */
  readonly mediaTypes: readonly string[];
  /** The headers that `recognise` wants to see, in lower case. Reading one costs time at each request. */
  readonly headers: readonly string[];
  /** The media type of every `answer`. */
  readonly answerMediaType: Uint8Array;
  /**
   * Never throws, whatever the bytes. Keeps no reference to `body`.
   * @param headers the values of `headers`, in that order; of one that came twice the first, of one that did not come ''
   * @param nowMs milliseconds since the epoch
   */
  recognise(body: Buffer, headers: readonly string[], nowMs: number): Verdict;
}
