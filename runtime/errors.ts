/**
 * The errors of the runtime, and what an error means for a retry.
 *
 * One class per failure, each with a stable `code`. The class alone decides what happens next: nothing parses
 * messages, and no caller keeps a list of codes of its own.
 *
 * | class                         | what the runtime does with the message that met it                      |
 * |-------------------------------|-------------------------------------------------------------------------|
 * | `OutageError`                 | waits and tries again for as long as it takes; never a dead letter       |
 * | `PendingError`                | tries again, its key alone waiting, and counts none of it for a minute   |
 * | `TetherError`, `retryable`    | tries again within the message's retry budget, then a dead letter        |
 * | `TetherError`, not `retryable`| a dead letter at once                                                    |
 * | any other error               | as `retryable`: an unknown failure may pass                              |
 */
export abstract class TetherError extends Error {
  /** Stable, upper case, `TETHER_` first; part of the public contract. */
  abstract readonly code: string;
  /** Whether the same operation may succeed later, unchanged. */
  abstract readonly retryable: boolean;

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A part that everything depends on (a database, a log) is away; no message is to blame for it. */
export abstract class OutageError extends TetherError {
  readonly retryable = true;
  /** How the runtime tells an outage from other failures, see `failure.ts`. */
  readonly outage = true;
}

/**
 * What a message needs is not here yet, and is on its way: its key waits, all others go on. Who throws it knows how long that may take, and
 * throws another error after it; after a minute each further one counts as any failure.
 */
export abstract class PendingError extends TetherError {
  readonly retryable = true;
  /** How the runtime tells it from other failures, see `failure.ts`. */
  readonly pending = true;
}

/** The log holds as much as it may; space comes back when actors catch up. */
export class LogFullError extends TetherError {
  readonly code = 'TETHER_LOG_FULL';
  readonly retryable = true;
}

/** The log cannot be reached; it will be again. Whether it has the message is not known. */
export class LogUnavailableError extends OutageError {
  readonly code = 'TETHER_LOG_UNAVAILABLE';
}

/** What a read met is not what was written there, or could not be read at all. */
export class LogReadError extends TetherError {
  readonly code = 'TETHER_LOG_READ';
  readonly retryable = false;
}

/** The log accepts nothing more: it is closing, closed, or a write has failed for good. */
export class LogClosedError extends TetherError {
  readonly code = 'TETHER_LOG_CLOSED';
  readonly retryable = false;
}

/**
 * Another process reads these partitions by now, and what this one does for their messages does not count. Nothing is wrong with them: here they
 * wait until the partitions are dropped, or are this process's anew.
 */
export class FencedError extends OutageError {
  readonly code = 'TETHER_FENCED';
  readonly partitions: readonly number[];

  constructor(message: string, partitions: readonly number[]) {
    super(message);
    this.partitions = partitions;
  }
}

/** Bytes that should be an envelope are not one. */
export class EnvelopeError extends TetherError {
  readonly code = 'TETHER_ENVELOPE_MALFORMED';
  readonly retryable = false;
}

/**
 * A later release wrote the envelope in a form that this one does not know. Nothing is wrong with it: it waits, and with it whatever stands behind
 * it on its partition, until a process reads it that can.
 */
export class EnvelopeVersionError extends OutageError {
  readonly code = 'TETHER_ENVELOPE_VERSION';
}

/** An actor's module cannot be used: it does not load, or is not a definition. */
export class ActorModuleError extends TetherError {
  readonly code = 'TETHER_ACTOR_MODULE';
  readonly retryable = false;
}

/** The log holds messages for an actor type that this process does not run; starting would leave them unhandled. */
export class UnknownActorError extends TetherError {
  readonly code = 'TETHER_ACTOR_UNKNOWN';
  readonly retryable = false;
}

/** A `receive` did not return within its limit; the thread it runs in is replaced. */
export class ReceiveTimeoutError extends TetherError {
  readonly code = 'TETHER_RECEIVE_TIMEOUT';
  readonly retryable = true;
}

/** A message was alone in flight each time its worker thread ended. */
export class ThreadCrashError extends TetherError {
  readonly code = 'TETHER_THREAD_CRASH';
  readonly retryable = false;
}

/** A thread did not let go of a partition in time: messages are in a backoff, an outage or a long call. It stays where it is. */
export class MoveTimeoutError extends TetherError {
  readonly code = 'TETHER_MOVE_TIMEOUT';
  readonly retryable = true;
}

/** The move of a partition was given up before its end, and the partition stays where it is; the message says why. */
export class MoveCancelledError extends TetherError {
  readonly code = 'TETHER_MOVE_CANCELLED';
  readonly retryable = true;
}

/** A pool has not the size that was asked for: threads did not start or did not let go in time. The message says what stands. */
export class PoolResizeError extends TetherError {
  readonly code = 'TETHER_POOL_RESIZE';
  readonly retryable = true;
}

/** What a pool had in flight did not finish in time, or the pool was resumed meanwhile. */
export class PoolDrainError extends TetherError {
  readonly code = 'TETHER_POOL_DRAIN';
  readonly retryable = true;
}

/** What was asked of a pool makes no sense, or not in the mode in which the pool is. */
export class PoolRequestError extends TetherError {
  readonly code = 'TETHER_POOL_REQUEST';
  readonly retryable = false;
}

/** Threads of an actor did not take settings that were changed: its `configure` threw there. They go on with those that they had. */
export class ActorSettingsError extends TetherError {
  readonly code = 'TETHER_ACTOR_SETTINGS';
  readonly retryable = true;
}

/** No reply came within the time that the asker gave. */
export class AskTimeoutError extends TetherError {
  readonly code = 'TETHER_ASK_TIMEOUT';
  readonly retryable = true;
}

/** The actor that was asked failed, or answered with an error: `reason` has its code and text. */
export class AskFailedError extends TetherError {
  readonly code = 'TETHER_ASK_FAILED';
  readonly retryable = true;
  /** The code of the error that the actor met. */
  readonly reason: string;

  constructor(message: string, reason: string) {
    super(message);
    this.reason = reason;
  }
}

/** An actor asked, over others, itself: none of them could ever go on. The message names the cycle. */
export class AskCycleError extends TetherError {
  readonly code = 'TETHER_ASK_CYCLE';
  readonly retryable = false;
}

/** The receiver's mailbox holds as many messages as it may. */
export class MailboxFullError extends TetherError {
  readonly code = 'TETHER_MAILBOX_FULL';
  readonly retryable = true;
}

/** The activation that was asked ended before it replied: it was passivated, stopped or moved. */
export class ActivationStoppedError extends TetherError {
  readonly code = 'TETHER_ACTIVATION_STOPPED';
  readonly retryable = true;
}

/** The worker thread that was asked ended before a reply came. */
export class ThreadLostError extends TetherError {
  readonly code = 'TETHER_THREAD_LOST';
  readonly retryable = true;
}

/** The actor system has not started, or has stopped: nothing is sent. */
export class SystemModeError extends TetherError {
  readonly code = 'TETHER_SYSTEM_MODE';
  readonly retryable = false;
}

/** A snapshot's version is later than the actor's, or older and without a migration. */
export class SnapshotVersionError extends TetherError {
  readonly code = 'TETHER_SNAPSHOT_VERSION';
  readonly retryable = false;
}

/** A body cannot be sent: it holds what msgpack cannot carry. */
export class BodyError extends TetherError {
  readonly code = 'TETHER_BODY';
  readonly retryable = false;
}

/** The module of a store cannot be used: it does not load, or makes no store. */
export class StoreModuleError extends TetherError {
  readonly code = 'TETHER_STORE_MODULE';
  readonly retryable = false;
}

/** One replay of many dead letters is under way on this node; another one waits for its end. */
export class ReplayBusyError extends TetherError {
  readonly code = 'TETHER_REPLAY_BUSY';
  readonly retryable = true;
}

/** A reminder is out of its limits; see `reminder.ts`. */
export class ReminderRefusedError extends TetherError {
  readonly code = 'TETHER_REMINDER_REFUSED';
  readonly retryable = false;
}
