/**
 * Dead letters as files, with an index in memory of what a list is chosen by: whoever opens it must own the folder. What a
 * put of an id that is there becomes is the table of `storage/postgres/dead-letters.ts`.
 */
import type {
  DeadLetter,
  DeadLetterEnd,
  DeadLetterFilter,
  DeadLetterMark,
  DeadLetterSelection,
  DeadLetterStore,
  DeadLetterSummary,
  StoredDeadLetter,
} from '../../runtime/stores/dead-letter.js';
import {
  assertChoice,
  assertFilter,
  assertMany,
  assertSelection,
  boundedBy,
  boundedCause,
} from '../dead-letter-limits.js';
import type { FileSystem } from '../journal/file-system.js';
import { type Entry, entryOf, fits, idOf, summaryOf } from './dead-letter-index.js';
import type { FieldReader } from './format.js';
import { RecordFiles, type RecordKind } from './record-files.js';
import { TimeIndex } from './time-index.js';
import { forEachBounded, Turns } from './turns.js';

const KIND: RecordKind<StoredDeadLetter> = {
  encode: ({ envelope, cause, attempts, deadAt, replayedAt, droppedAt, droppedBy }) => [
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
    // As before there were any, for those that are not dropped: an older release reads them.
    ...(droppedAt === undefined ? [] : [droppedAt, droppedBy ?? '']),
  ],
  decode: (fields) => ({
    envelope: envelopeOf(fields),
    cause: { code: fields.text(), message: fields.text(), stack: fields.text() },
    attempts: fields.number(),
    deadAt: fields.number(),
    ...endOf(fields),
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

type End = Pick<StoredDeadLetter, 'state' | 'replayedAt' | 'droppedAt' | 'droppedBy'>;

const WAITING: End = { state: 'waiting', replayedAt: undefined, droppedAt: undefined, droppedBy: undefined };

/** A letter is replayed or dropped when it says when. */
function endOf(fields: FieldReader): End {
  const replayedAt = fields.numberOrNone();
  if (fields.more)
    return { ...WAITING, state: 'dropped', droppedAt: fields.number(), droppedBy: fields.text() };
  return replayedAt === undefined ? WAITING : { ...WAITING, state: 'replayed', replayedAt };
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
        this.#place({ ...letter, cause: boundedCause(letter.cause), ...WAITING }),
      ),
    );
    await this.#files.sync();
  }

  async list(filter: DeadLetterFilter): Promise<readonly StoredDeadLetter[]> {
    assertFilter(filter);
    this.#turns.assertOpen();
    const { after, limit } = filter;
    const isBehind = ({ at, name }: Entry): boolean =>
      after === undefined || at > after.deadAt || (at === after.deadAt && name > after.id);
    const ids: string[] = [];
    for (const entry of this.#selected(filter)) {
      if (ids.length === limit) break;
      if (isBehind(entry)) ids.push(entry.id);
    }
    // Without what has changed since it was chosen.
    return (await this.#read(ids)).filter((letter) => fits(filter, entryOf(letter)));
  }

  get(id: string): Promise<StoredDeadLetter | undefined> {
    return this.#turns.run(idOf(id), () => this.#files.read(idOf(id)));
  }

  async getMany(ids: readonly string[]): Promise<readonly StoredDeadLetter[]> {
    assertMany(ids);
    return this.#read(ids.map(idOf));
  }

  async settle(marks: readonly DeadLetterMark[], end: DeadLetterEnd): Promise<number> {
    assertMany(marks);
    this.#turns.assertOpen();
    const done = await forEachBounded(marks, ({ id, deadAt }) =>
      this.#turns.run(idOf(id), async () => {
        const letter = await this.#files.read(idOf(id));
        if (letter?.state !== 'waiting' || letter.deadAt !== deadAt) return false;
        await this.#place({ ...letter, ...this.#endNow(end) });
        return true;
      }),
    );
    const settled = done.filter(Boolean).length;
    if (settled > 0) await this.#files.sync();
    return settled;
  }

  async choose(selection: DeadLetterSelection, limit: number): Promise<readonly DeadLetterMark[]> {
    assertChoice(selection, limit);
    this.#turns.assertOpen();
    const waiting = [...this.#selected(selection)].filter(({ state }) => state === 'waiting');
    const marks = waiting.map(({ name, at }) => ({ id: name, deadAt: at }));
    return marks.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit);
  }

  async summary(selection: DeadLetterSelection): Promise<DeadLetterSummary> {
    assertSelection(selection);
    this.#turns.assertOpen();
    return summaryOf(this.#selected(selection));
  }

  async count(): Promise<number> {
    this.#turns.assertOpen();
    return this.#waiting;
  }

  close(reason: string): Promise<void> {
    return this.#turns.close(reason);
  }

  *#selected(selection: DeadLetterSelection): Generator<Entry> {
    const { ids, ...rest } = selection;
    const wanted = ids && new Set(ids);
    for (const entry of this.#index) {
      if (wanted?.has(entry.name) !== false && fits(rest, entry)) yield entry;
    }
  }

  async #read(ids: readonly string[]): Promise<readonly StoredDeadLetter[]> {
    const letters = await forEachBounded(ids, (id) => this.#turns.run(id, () => this.#files.read(id)));
    return letters.filter((letter) => letter !== undefined);
  }

  #endNow(end: DeadLetterEnd): End {
    const at = this.#now();
    return end.state === 'replayed'
      ? { ...WAITING, state: 'replayed', replayedAt: at }
      : { ...WAITING, state: 'dropped', droppedAt: at, droppedBy: boundedBy(end.by) };
  }

  async #place(letter: StoredDeadLetter): Promise<void> {
    await this.#files.place(letter);
    const entry = entryOf(letter);
    if (this.#index.get(entry.id)?.state === 'waiting') this.#waiting--;
    if (entry.state === 'waiting') this.#waiting++;
    this.#index.set(entry);
  }
}
