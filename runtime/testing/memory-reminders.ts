/** A reminder store in memory, for tests of what stands on one: the contract of `reminder.ts` but for durability. */
import type { Reminder, ReminderStore } from '../stores/reminder.js';

export class MemoryReminders implements ReminderStore {
  readonly #byName = new Map<string, Reminder>();

  async put(reminder: Reminder): Promise<void> {
    this.#byName.set(nameOf(reminder), { ...reminder, body: Buffer.from(reminder.body) });
  }

  async delete(actor: string, key: string, name: string): Promise<boolean> {
    return this.#byName.delete(nameOf({ actor, key, name }));
  }

  async due(atMs: number, limit: number): Promise<readonly Reminder[]> {
    return [...this.#byName.values()]
      .filter(({ dueAt }) => dueAt <= atMs)
      .sort((a, b) => a.dueAt - b.dueAt)
      .slice(0, limit);
  }

  async next(): Promise<number | undefined> {
    const times = Array.from(this.#byName.values(), ({ dueAt }) => dueAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  async advance(reminder: Reminder, nextDueAt: number | undefined): Promise<boolean> {
    const name = nameOf(reminder);
    const stored = this.#byName.get(name);
    if (stored?.dueAt !== reminder.dueAt || stored.everyMs !== reminder.everyMs) return false;
    if (nextDueAt === undefined) this.#byName.delete(name);
    else this.#byName.set(name, { ...stored, dueAt: nextDueAt });
    return true;
  }

  async list(actor: string, key: string): Promise<readonly Reminder[]> {
    return [...this.#byName.values()]
      .filter((reminder) => reminder.actor === actor && reminder.key === key)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async close(): Promise<void> {}
}

function nameOf({ actor, key, name }: Pick<Reminder, 'actor' | 'key' | 'name'>): string {
  return JSON.stringify([actor, key, name]);
}
