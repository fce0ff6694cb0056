/** Reminders as files, with an index by due time in memory: whoever opens it must own the folder. */
import type { Reminder, ReminderStore } from '../../runtime/stores/reminder.js';
import type { FileSystem } from '../journal/file-system.js';
import { recordId } from '../record-id.js';
import { RecordFiles, type RecordKind } from './record-files.js';
import { type TimeEntry, TimeIndex } from './time-index.js';
import { forEachBounded, Turns } from './turns.js';

const KIND: RecordKind<Reminder> = {
  encode: ({ actor, key, name, dueAt, everyMs, body }) => [actor, key, name, dueAt, everyMs ?? null, body],
  decode: (fields) => ({
    actor: fields.text(),
    key: fields.text(),
    name: fields.text(),
    dueAt: fields.number(),
    everyMs: fields.numberOrNone(),
    body: fields.bytes(),
  }),
  id: ({ actor, key, name }) => idOf(actor, key, name),
};

function idOf(actor: string, key: string, name: string): string {
  return recordId(actor, key, name).toString('hex');
}

function entryOf(id: string, { dueAt }: Reminder): TimeEntry {
  return { id, at: dueAt, name: id };
}

export class FolderReminders implements ReminderStore {
  readonly #files: RecordFiles<Reminder>;
  readonly #turns = new Turns();
  #index = new TimeIndex<TimeEntry>();
  /** Ids of a key's reminders. */
  readonly #byKey = new Map<string, Set<string>>();

  constructor(fs: FileSystem, directory: string) {
    this.#files = new RecordFiles(fs, directory, KIND);
  }

  /** Reads every file. @throws FolderDamagedError, FolderFormatError, FolderUnavailableError */
  async prepare(): Promise<void> {
    await this.#files.prepare();
    const found = await this.#files.readAll();
    this.#index = new TimeIndex(found.map(({ id, record }) => entryOf(id, record)));
    for (const { id, record } of found) this.#idsOf(record).add(id);
  }

  put(reminder: Reminder): Promise<void> {
    const id = KIND.id(reminder);
    return this.#turns.run(id, () => this.#put(id, reminder));
  }

  delete(actor: string, key: string, name: string): Promise<boolean> {
    const id = idOf(actor, key, name);
    return this.#turns.run(id, () => this.#delete(id, actor, key));
  }

  async due(atMs: number, limit: number): Promise<readonly Reminder[]> {
    this.#turns.assertOpen();
    const ids: string[] = [];
    for (const { id, at } of this.#index) {
      if (at > atMs || ids.length >= limit) break;
      ids.push(id);
    }
    return (await this.#read(ids))
      .filter(({ dueAt }) => dueAt <= atMs)
      .sort((a, b) => a.dueAt - b.dueAt || (KIND.id(a) < KIND.id(b) ? -1 : 1));
  }

  async next(): Promise<number | undefined> {
    this.#turns.assertOpen();
    return this.#index.first?.at;
  }

  advance(reminder: Reminder, nextDueAt: number | undefined): Promise<boolean> {
    const id = KIND.id(reminder);
    return this.#turns.run(id, async () => {
      const stored = await this.#files.read(id);
      if (stored?.dueAt !== reminder.dueAt || stored.everyMs !== reminder.everyMs) return false;
      if (nextDueAt === undefined) await this.#delete(id, stored.actor, stored.key);
      else await this.#put(id, { ...stored, dueAt: nextDueAt });
      return true;
    });
  }

  async list(actor: string, key: string): Promise<readonly Reminder[]> {
    this.#turns.assertOpen();
    const ids = this.#byKey.get(JSON.stringify([actor, key])) ?? [];
    return (await this.#read([...ids])).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  close(reason = 'the reminders of the folder are closed'): Promise<void> {
    return this.#turns.close(reason);
  }

  /** Those that are still there. */
  async #read(ids: readonly string[]): Promise<Reminder[]> {
    const read = await forEachBounded(ids, (id) => this.#turns.run(id, () => this.#files.read(id)));
    return read.filter((reminder) => reminder !== undefined);
  }

  async #put(id: string, reminder: Reminder): Promise<void> {
    await this.#files.place(reminder);
    this.#index.set(entryOf(id, reminder));
    this.#idsOf(reminder).add(id);
    await this.#files.sync();
  }

  async #delete(id: string, actor: string, key: string): Promise<boolean> {
    const was = await this.#files.remove(id);
    this.#index.delete(id);
    const ids = this.#idsOf({ actor, key });
    ids.delete(id);
    if (ids.size === 0) this.#byKey.delete(JSON.stringify([actor, key]));
    // Also when there was none: a removal before may not have been synced.
    await this.#files.sync();
    return was;
  }

  #idsOf({ actor, key }: Pick<Reminder, 'actor' | 'key'>): Set<string> {
    const name = JSON.stringify([actor, key]);
    let ids = this.#byKey.get(name);
    if (ids === undefined) {
      ids = new Set();
      this.#byKey.set(name, ids);
    }
    return ids;
  }
}
