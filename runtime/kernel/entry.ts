import type { Measured } from '../measure/thread-meter.js';
import type { DeadLetterCause } from '../stores/dead-letter.js';
import type { DurableMessage } from './letter.js';

/** A message of the log in a worker thread, with its place there. */
export interface Entry extends Measured {
  readonly partition: number;
  /** Of the ownership under which it was read; undefined when the log has one owner. */
  readonly epoch?: number | undefined;
  readonly offset: number;
  /** What it takes of the dispatcher's credit. */
  readonly bytes: number;
  readonly message: DurableMessage;
}

/** Where the fate of entries goes. Each entry is reported once, as done or as dead, or not at all when the thread ends. */
export interface Outcome {
  done(entries: readonly Entry[]): void;
  dead(entry: Entry, cause: DeadLetterCause): void;
  /** So many more entries (or fewer) wait for a retry, or behind a key that does. */
  parked(messages: number, bytes: number): void;
  /** These are of a partition that is another process's by now: nobody hears what became of them. */
  forgotten(entries: readonly Entry[]): void;
  /** An outage began or goes on (its error), or is over (undefined). */
  outage(error: Error | undefined): void;
}
