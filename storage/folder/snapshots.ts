/** Snapshots as files. Nothing is kept in memory: any number of threads may each have a store of its own on one directory. */
import { assertSnapshot, type Snapshot, type SnapshotStore } from '../../runtime/stores/snapshot.js';
import type { FileSystem } from '../journal/file-system.js';
import { recordId } from '../record-id.js';
import { RecordFiles, type RecordKind } from './record-files.js';
import { Turns } from './turns.js';

interface SnapshotRecord {
  readonly actor: string;
  readonly key: string;
  readonly snapshot: Snapshot;
}

const KIND: RecordKind<SnapshotRecord> = {
  encode: ({ actor, key, snapshot: { version, state, position } }) => [
    actor,
    key,
    version,
    position?.log ?? '',
    position?.partition ?? null,
    position?.offset ?? null,
    state,
  ],
  decode(fields) {
    const [actor, key, version, log] = [fields.text(), fields.text(), fields.number(), fields.text()];
    const [partition, offset] = [fields.numberOrNone(), fields.numberOrNone()];
    const position = partition === undefined || offset === undefined ? undefined : { log, partition, offset };
    return { actor, key, snapshot: { version, state: fields.bytes(), position } };
  },
  id: ({ actor, key }) => idOf(actor, key),
};

function idOf(actor: string, key: string): string {
  return recordId(actor, key).toString('hex');
}

/** Of the folder. */
export const SNAPSHOTS = 'snapshots';

export class FolderSnapshots implements SnapshotStore {
  readonly #files: RecordFiles<SnapshotRecord>;
  readonly #turns = new Turns();

  constructor(fs: FileSystem, directory: string) {
    this.#files = new RecordFiles(fs, directory, KIND);
  }

  /** For the owner of the folder. */
  prepare(): Promise<void> {
    return this.#files.prepare();
  }

  load(actor: string, key: string): Promise<Snapshot | undefined> {
    const id = idOf(actor, key);
    return this.#turns.run(id, async () => (await this.#files.read(id))?.snapshot);
  }

  save(actor: string, key: string, snapshot: Snapshot): Promise<void> {
    return this.#turns.run(idOf(actor, key), async () => {
      assertSnapshot(snapshot);
      await this.#files.place({ actor, key, snapshot });
      await this.#files.sync();
    });
  }

  delete(actor: string, key: string): Promise<void> {
    const id = idOf(actor, key);
    return this.#turns.run(id, async () => {
      await this.#files.remove(id);
      // Also when there was none: a removal before may not have been synced.
      await this.#files.sync();
    });
  }

  close(reason = 'the snapshots of the folder are closed'): Promise<void> {
    return this.#turns.close(reason);
  }
}
