/**
 * The log: where a message is kept from the moment it is acknowledged until its effect is committed.
 *
 * This is the whole contract between the runtime and a log driver (`storage/journal`, `storage/redis-log`).
 *
 * A log is divided by actor type and then into partitions, the same number for each type. A partition is the unit of
 * order: its messages have consecutive offsets from 0, in the order in which they were acknowledged. It has one reader,
 * which owns it, and remembers how far that reader has come (`commit`).
 *
 * Guarantees of a driver:
 * - `waiter.appended` is called after the message is as durable as the log was configured to be, never before (P1), and
 *   in the order of the appends to a partition. Exactly one of `appended` and `appendFailed` is called for each append.
 * - A message is readable once it is appended, and until the partition is committed past it. Trimming never outruns
 *   the committed offset (P4).
 * - Memory is bounded: a reader that falls behind reads from the disk (P5).
 * - What senders may not have any more, actors may: a full log does not stop those that empty it.
 */
import type { LogClosedError, LogFullError, LogUnavailableError } from './errors.js';

/** Told of the fate of one append. An object, not a callback: the hot path has one at hand. */
export interface AppendWaiter {
  /** The message is on the log at `offset`. */
  appended(offset: number): void;
  /** The message is not acknowledged. It may be on the log all the same, if a write failed half way. */
  appendFailed(error: LogFullError | LogUnavailableError | LogClosedError): void;
}

/** The messages of one partition that one group commit took. */
export interface Frame {
  /** Offset of its first message; the others follow without a gap. */
  readonly offset: number;
  /** How many messages, at least one. */
  readonly count: number;
  /** `count` times: length of the envelope in bytes (uint32, little endian), the envelope. See `frame.ts`. */
  readonly body: Uint8Array;
}

export interface LogPartition {
  readonly actor: string;
  /** 0 to `partitions` - 1. */
  readonly index: number;
  /** The offset after the last appended message. */
  readonly end: number;
  /** The offset that the reader committed: everything below it is done. */
  readonly committed: number;
  /** Set by the reader, called after messages became readable; at most once a group commit. */
  onAppended: (() => void) | undefined;

  /**
   * Adds one encoded envelope. Never throws: a failure goes to `waiter`, at once or later.
   * @param passesOn an actor sends it because of a message that it has of this log, which is done only when this one is kept. So a log that
   *   is `full` goes on to take it, up to a further limit of its own: refused, it could never be worked off
   */
  append(envelope: Uint8Array, waiter: AppendWaiter, passesOn?: boolean): void;
  /**
   * The frames from the one that holds `offset`, in order: as many as fit in `bytesMax`, at least one; none at the
   * end of the log. Returned directly while they are in memory, by a promise when the disk is read.
   * @throws RangeError (at once) when `offset` is below `committed` or past `end`
   * @throws LogReadError (the promise rejects) when what is there is damaged
   */
  read(offset: number, bytesMax: number): readonly Frame[] | Promise<readonly Frame[]>;
  /** Everything below `offset` is done. Cheap; written down with a later group commit, so a crash may forget it. */
  commit(offset: number): void;
}

/**
 * - `open`: takes appends
 * - `full`: at its size limit; refuses appends with `LogFullError` until readers make room, then `open` again. What passes on is
 *   taken still, until the further limit is reached too
 * - `away`: its server cannot be reached; refuses appends with `LogUnavailableError` until it is there again
 * - `failed`: a write or sync failed; refuses appends for good, keeps serving reads from memory
 * - `closing`, `closed`: as the names say
 */
export type LogState = 'open' | 'full' | 'away' | 'failed' | 'closing' | 'closed';

export interface MessageLog {
  /**
   * A random UUID, made with the log's data and kept with it: an offset noted under this name means the same message for
   * ever. Data that begins anew at offset 0 has another one.
   */
  readonly id: string;
  readonly state: LogState;
  /** Partitions of each actor type. */
  readonly partitions: number;
  /** Actor types that the log holds messages of, whether this process knows them or not. */
  readonly actors: readonly string[];
  /** The partitions of an actor type, made at the first call. */
  open(actor: string): readonly LogPartition[];
  /** Messages appended and not committed, over all partitions. */
  lag(): number;
  /** Settles every append, writes the committed offsets down, releases the log. Idempotent. */
  close(): Promise<void>;
}
