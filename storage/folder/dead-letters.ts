/**
 * Dead letters as files, with an index in memory of what a list is chosen by: whoever opens it must own the folder. What a
 * put of an id that is there becomes is the table of `storage/postgres/dead-letters.ts`.
 */
import type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterStore,
  StoredDeadLetter,
} from '../../runtime/stores/dead-letter.js';
import { assertFilter, boundedCause } from '../dead-letter-limits.js';
import type { FileSystem } from '../journal/file-system.js';
import { recordId } from '../record-id.js';
import type { FieldReader } from './format.js';
import { RecordFiles, type RecordKind } from './record-files.js';
import { type TimeEntry, TimeIndex } from './time-index.js';
import { forEachBounded, Turns } from './turns.js';

const KIND: RecordKind<StoredDeadLetter> = {
  encode: ({ envelope, cause, attempts, deadAt, replayedAt }) => [
    envelope.id,
    envelope.actor,
    envelope.key,
    envelope.dedupe,
    envelope.receivedAt,
    envelope.traceparent,
    envelope.payload,
    cause.code,
    cause.message,
    cause.stack,
    attempts,
    deadAt,
    replayedAt ?? null,
  ],
  decode: (fields) => ({
    envelope: envelopeOf(fields),
    cause: { code: fields.text(), message: fields.text(), stack: fields.text() },
    attempts: fields.number(),
    deadAt: fields.number(),
    ...stateOf(fields.numberOrNone()),
  }),
  id: ({ envelope }) => idOf(envelope.id),
};

function envelopeOf(fields: FieldReader): StoredDeadLetter['envelope'] {
  return {
    id: fields.text(),
    actor: fields.text(),
    key: fields.text(),
    dedupe: fields.text(),
    receivedAt: fields.number(),
    traceparent: fields.text(),
    payload: fields.bytes(),
  };
}

/** A letter is replayed when it says when. */
function stateOf(replayedAt: number | undefined): Pick<StoredDeadLetter, 'state' | 'replayedAt'> {
  return { state: replayedAt === undefined ? 'waiting' : 'replayed', replayedAt };
}

function idOf(envelopeId: string): string {
  return recordId(envelopeId).toString('hex');
}

interface Entry extends TimeEntry {
  readonly actor: string;
  readonly key: string;
  readonly state: StoredDeadLetter['state'];
}

function entryOf(letter: StoredDeadLetter): Entry {
  const { id, actor, key } = letter.envelope;
  return { id: idOf(id), at: letter.deadAt, name: id, actor, key, state: letter.state };
}

export class FolderDeadLetters implements DeadLetterStore {
  readonly #files: RecordFiles<StoredDeadLetter>;
  readonly #turns = new Turns();
  readonly #now: () => number;
  #index = new TimeIndex<Entry>();
  #waiting = 0;

  constructor(fs: FileSystem, directory: string, now: () => number) {
    this.#files = new RecordFiles(fs, directory, KIND);
    this.#now = now;
  }

  /** Reads every file. @throws FolderDamagedError, FolderFormatError, FolderUnavailableError */
  async prepare(): Promise<void> {
    await this.#files.prepare();
    this.#index = new TimeIndex((await this.#files.readAll()).map(({ record }) => entryOf(record)));
    for (const { state } of this.#index) if (state === 'waiting') this.#waiting++;
  }

  async put(letters: readonly DeadLetter[]): Promise<void> {
    this.#turns.assertOpen();
    const latest = new Map<string, DeadLetter>();
    for (const letter of letters) {
      const before = latest.get(letter.envelope.id);
      if (before === undefined || letter.deadAt >= before.deadAt) latest.set(letter.envelope.id, letter);
    }
    if (latest.size === 0) return;
    await forEachBounded([...latest.values()], (letter) =>
      this.#turns.run(idOf(letter.envelope.id), () =>
        this.#place({ ...letter, cause: boundedCause(letter.cause), ...stateOf(undefined) }),
      ),
    );
    await this.#files.sync();
  }

  async list(filter: DeadLetterFilter): Promise<readonly StoredDeadLetter[]> {
    assertFilter(filter);
    this.#turns.assertOpen();
    const fits = (entry: Pick<Entry, 'actor' | 'key' | 'state'>): boolean =>
      (filter.actor ?? entry.actor) === entry.actor &&
      (filter.key ?? entry.key) === entry.key &&
      (filter.state ?? entry.state) === entry.state;
    const ids: string[] = [];
    for (const entry of this.#index) {
      if (ids.length === filter.limit) break;
      if (fits(entry)) ids.push(entry.id);
    }
    const letters = await forEachBounded(ids, (id) => this.#turns.run(id, () => this.#files.read(id)));
    // Without what has changed since it was chosen.
    return letters
      .filter((letter) => letter !== undefined)
      .filter(({ envelope, state }) => fits({ actor: envelope.actor, key: envelope.key, state }));
  }

  get(id: string): Promise<StoredDeadLetter | undefined> {
    return this.#turns.run(idOf(id), () => this.#files.read(idOf(id)));
  }

  markReplayed(id: string, deadAt: number): Promise<boolean> {
    return this.#turns.run(idOf(id), async () => {
      const letter = await this.#files.read(idOf(id));
      if (letter?.state !== 'waiting' || letter.deadAt !== deadAt) return false;
      await this.#place({ ...letter, ...stateOf(this.#now()) });
      await this.#files.sync();
      return true;
    });
  }

  async count(): Promise<number> {
    this.#turns.assertOpen();
    return this.#waiting;
  }

  close(reason: string): Promise<void> {
    return this.#turns.close(reason);
  }

  async #place(letter: StoredDeadLetter): Promise<void> {
    await this.#files.place(letter);
    const entry = entryOf(letter);
    if (this.#index.get(entry.id)?.state === 'waiting') this.#waiting--;
    if (entry.state === 'waiting') this.#waiting++;
    this.#index.set(entry);
  }
}
