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

/** What an operator does with dead letters. None is ever removed: it waits, or is replayed or dropped and says when. */
export interface DeadLetterStore extends DeadLetterSink {
  /** In the order in which they died. */
  list(filter: DeadLetterFilter): Promise<readonly StoredDeadLetter[]>;
  get(id: string): Promise<StoredDeadLetter | undefined>;
  /** Those of `ids` (at most 1,000) that exist, in no order. */
  getMany(ids: readonly string[]): Promise<readonly StoredDeadLetter[]>;
  /** How many wait. */
  count(): Promise<number>;
  /** What a selection comes to. */
  summary(selection: DeadLetterSelection): Promise<DeadLetterSummary>;
  /** Those of the selection that wait, in the order of their ids, which is that of acceptance; `limit`: 1 to 100,001. */
  choose(selection: DeadLetterSelection, limit: number): Promise<readonly DeadLetterMark[]>;
  /**
   * Ends the waiting of those (at most 1,000) that died at the `deadAt` of their mark. A replayed one is on the log again
   * before this.
   * @returns how many; the others do not wait, or have died once more since
   */
  settle(marks: readonly DeadLetterMark[], end: DeadLetterEnd): Promise<number>;
}

export type DeadLetterState = 'waiting' | 'replayed' | 'dropped';

/** One death of a message. */
export interface DeadLetterMark {
  readonly id: string;
  readonly deadAt: number;
}

export type DeadLetterEnd =
  | { readonly state: 'replayed' }
  /** `by`: who did it, for people. */
  | { readonly state: 'dropped'; readonly by: string };

/** What holds for each letter that is meant; a part that is left out holds for all. */
export interface DeadLetterSelection {
  /** At most 10,000. */
  readonly ids?: readonly string[];
  readonly actor?: string;
  readonly key?: string;
  /** Its key begins with this and a colon. */
  readonly endpoint?: string;
  /** Of its cause. */
  readonly code?: string;
  readonly state?: DeadLetterState;
  /** When it died, inclusive. */
  readonly deadFrom?: number;
  /** When it died, exclusive. */
  readonly deadBefore?: number;
}

export interface DeadLetterFilter extends DeadLetterSelection {
  /** The last letter of the page before. */
  readonly after?: DeadLetterMark;
  /** 1 to 1,000. */
  readonly limit: number;
}

export interface DeadLetterSummary {
  readonly total: number;
  /** How many keys, of each actor by itself. */
  readonly keys: number;
  /** When the first and the last of them died; undefined of none. */
  readonly oldest: number | undefined;
  readonly latest: number | undefined;
  /** The most frequent first, at most 50. `atOnce`: those that died at their first delivery, as a lasting failure does. */
  readonly codes: readonly { readonly code: string; readonly count: number; readonly atOnce: number }[];
  /** The most frequent first, at most 50. */
  readonly actors: readonly { readonly actor: string; readonly count: number }[];
}

export interface StoredDeadLetter extends DeadLetter {
  readonly state: DeadLetterState;
  readonly replayedAt: number | undefined;
  readonly droppedAt: number | undefined;
  readonly droppedBy: string | undefined;
}
