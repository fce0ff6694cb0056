/**
 * Dead letters: messages that could not be handled, kept with their cause until somebody replays or drops them (P4).
 */
import type { Envelope } from '../envelope.js';

export interface DeadLetterCause {
  /** The error's `code`, or its name. */
  readonly code: string;
  readonly message: string;
  readonly stack: string;
}

export interface DeadLetter {
  readonly envelope: Envelope;
  readonly cause: DeadLetterCause;
  /** Deliveries that failed. */
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly deadAt: number;
}

/** Where the runtime puts a dead letter before it lets go of the message. */
export interface DeadLetterSink {
  /** Resolves when all of them are durable. The same envelope id again is not an error. @throws OutageError */
  put(letters: readonly DeadLetter[]): Promise<void>;
}

/** What an operator does with dead letters. */
export interface DeadLetterStore extends DeadLetterSink {
  list(filter: DeadLetterFilter): Promise<readonly StoredDeadLetter[]>;
  get(id: string): Promise<StoredDeadLetter | undefined>;
  /**
   * Marks as replayed the letter that died at `deadAt`, after its envelope is on the log again. False when it does not wait,
   * or has died once more since.
   */
  markReplayed(id: string, deadAt: number): Promise<boolean>;
  /** How many wait. */
  count(): Promise<number>;
}

export interface DeadLetterFilter {
  readonly actor?: string;
  readonly key?: string;
  readonly state?: StoredDeadLetter['state'];
  /** 1 to 1,000. */
  readonly limit: number;
}

export interface StoredDeadLetter extends DeadLetter {
  readonly state: 'waiting' | 'replayed';
  readonly replayedAt: number | undefined;
}
