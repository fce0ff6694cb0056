/**
 * The snapshots of one actor type: states as bytes, with what they contain of the log.
 *
 * A message that is delivered again is in the state already when its offset is not past the snapshot's, and its id not later than
 * the latest in it. The offset alone would not do: a log in durability `memory` may lose its end in a power cut, and give the
 * same offsets to other messages. Ids begin with their time (`message-id.ts`). In doubt a message is handled again, never skipped.
 */
import type { PartitionEpoch, SnapshotPolicy } from '../actor.js';
import { SnapshotVersionError } from '../errors.js';
import type { Snapshot, SnapshotStore } from '../stores/snapshot.js';
import type { Codec } from './codec.js';
import type { Entry } from './entry.js';

/** What a state contains of the log. */
export interface Progress {
  readonly partition: number;
  readonly offset: number;
  /** The latest id among its messages. */
  readonly id: string;
}

export interface Restored {
  readonly state: unknown;
  readonly progress: Progress | undefined;
}

export interface SnapshotsOptions {
  readonly type: string;
  readonly policy: SnapshotPolicy<unknown>;
  readonly store: SnapshotStore;
  /** Identity of the log. */
  readonly log: string;
  readonly codec: Codec;
}

export class Snapshots {
  readonly #options: SnapshotsOptions;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  /** Whether the state is stored after each batch, or only when its activation goes. */
  get afterBatch(): boolean {
    return this.#options.policy.when !== 'passivation';
  }

  /** @throws SnapshotVersionError, BodyError, and what the store throws */
  async load(key: string): Promise<Restored | undefined> {
    const { type, store, codec, log } = this.#options;
    const snapshot = await store.load(type, key);
    if (snapshot === undefined) return undefined;
    const [id, packed] = codec.unpack(snapshot.state) as [string, unknown];
    const { position } = snapshot;
    const progress =
      position?.log === log ? { partition: position.partition, offset: position.offset, id } : undefined;
    return { state: this.#migrated(snapshot, packed, key), progress };
  }

  /** @param owned the key's partition, where many processes read the log */
  async save(
    key: string,
    state: unknown,
    progress: Progress | undefined,
    owned?: PartitionEpoch,
  ): Promise<void> {
    const { type, policy, store, codec, log } = this.#options;
    const position =
      progress === undefined ? undefined : { log, partition: progress.partition, offset: progress.offset };
    const bytes = codec.pack([progress?.id ?? '', state]);
    const snapshot = { version: policy.version, state: bytes, position };
    await store.save(type, key, snapshot, owned && { log, ...owned });
  }

  #migrated({ version }: Snapshot, state: unknown, key: string): unknown {
    const { type, policy } = this.#options;
    if (version === policy.version) return state;
    if (version > policy.version || policy.migrate === undefined) {
      throw new SnapshotVersionError(
        `the snapshot of ${type}/${key} is of version ${version}, this actor has version ${policy.version}` +
          (version > policy.version ? '' : ' and no migration'),
      );
    }
    return policy.migrate(state, version);
  }
}

/** Whether a state with that progress contains the message. */
export function contains(progress: Progress | undefined, { partition, offset, message }: Entry): boolean {
  return (
    progress !== undefined &&
    progress.partition === partition &&
    offset <= progress.offset &&
    message.id <= progress.id
  );
}

/** After a batch of at least one, in the order of the log. */
export function advanced(progress: Progress | undefined, batch: readonly Entry[]): Progress {
  const { partition, offset } = batch[batch.length - 1] as Entry;
  let id = progress?.id ?? '';
  for (const { message } of batch) if (message.id > id) id = message.id;
  if (progress?.partition !== partition) return { partition, offset, id };
  return { partition, offset: Math.max(offset, progress.offset), id };
}
