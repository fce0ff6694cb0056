import type { Message } from '../actor.js';
import type { DeadLetterCause } from '../dead-letter.js';

/** A message in a worker thread, with its place on the log. */
export interface Entry {
  readonly partition: number;
  readonly offset: number;
  /** What it takes of the dispatcher's credit. */
  readonly bytes: number;
  readonly message: { -readonly [Field in keyof Message]: Message[Field] };
}

/** Where the fate of entries goes. Each entry is reported once, as done or as dead, or not at all when the thread ends. */
export interface Outcome {
  done(entries: readonly Entry[]): void;
  dead(entry: Entry, cause: DeadLetterCause): void;
  /** So many more entries (or fewer) wait behind a held key. */
  parked(messages: number, bytes: number): void;
  /** An outage began or goes on (its error), or is over (undefined). */
  outage(error: Error | undefined): void;
}
