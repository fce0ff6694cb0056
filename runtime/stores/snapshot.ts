/**
 * Snapshots: an actor's state as it was after a certain message, kept so that an activation need not start from nothing.
 *
 * This is the whole contract between the runtime and a store of them (`storage/folder`, `storage/postgres`). A key has
 * one snapshot, the one saved last. Saves of one key come one after another: a key belongs to one partition, and that to
 * one worker thread. What the bytes mean is the actor's.
 */
export interface Snapshot {
  /** Of the form of `state`, so that an actor's later release can tell an earlier one's. A safe integer. */
  readonly version: number;
  readonly state: Uint8Array;
  /** The last message that the state contains; undefined when it came from no log. */
  readonly position: SnapshotPosition | undefined;
}

export interface SnapshotPosition {
  /** `MessageLog.id`: a position of another log says nothing about this one. */
  readonly log: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * Under which ownership of the log's partition a snapshot is saved, where many processes read the log. A store that they share saves it only while
 * no later epoch is known: a process that has lost the partition and not noticed would put back what the next owner has saved.
 */
export interface SnapshotFence {
  /** `MessageLog.id` */
  readonly log: string;
  readonly partition: number;
  readonly epoch: number;
}

/**
 * Each promise may reject with an `OutageError`: the store is away, and the same call may succeed later. Any other error is
 * about the record itself, such as damage.
 */
export interface SnapshotStore {
  /** The snapshot saved last; undefined when there is none. */
  load(actor: string, key: string): Promise<Snapshot | undefined>;
  /**
   * Replaces the snapshot as a whole, or not at all; durable when it resolves. `snapshot.state` may be a view.
   * @throws FencedError (rejects) another process has the partition by now
   */
  save(actor: string, key: string, snapshot: Snapshot, fence?: SnapshotFence): Promise<void>;
  /** Durable when it resolves. None there is not an error. */
  delete(actor: string, key: string): Promise<void>;
  /** Waits for what is under way, releases what the store has opened itself. Idempotent. */
  close(): Promise<void>;
}

/** @throws RangeError for numbers that a store could not give back as they are */
export function assertSnapshot({ version, position }: Snapshot): void {
  if (!Number.isSafeInteger(version)) throw new RangeError(`a snapshot's version is ${version}, no integer`);
  if (position === undefined) return;
  const { partition, offset } = position;
  if (!isCount(partition, 2 ** 31 - 1) || !isCount(offset, Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`a snapshot's position is partition ${partition}, offset ${offset}`);
  }
}

function isCount(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= max;
}
