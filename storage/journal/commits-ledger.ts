/** Committed offsets that are not written down for good yet. */
import { ENTRY_BYTES, recordBytes } from './format.js';
import type { GroupWriter } from './group-writer.js';
import type { JournalPartition } from './partition.js';

export class CommitsLedger {
  #dirty: JournalPartition[] = [];
  #news = false;

  /** Whether there are commits that no write has held yet, not even one that the next group overwrites. */
  get news(): boolean {
    return this.#news;
  }

  /** What the record takes in a group; 0 without one. */
  get recordBytes(): number {
    return this.#dirty.length === 0 ? 0 : recordBytes(this.#dirty.length * ENTRY_BYTES);
  }

  note(partition: JournalPartition): void {
    this.#news = true;
    if (partition.dirty) return;
    partition.dirty = true;
    this.#dirty.push(partition);
  }

  write(writer: GroupWriter): void {
    if (this.#dirty.length > 0) writer.commits(this.#dirty, this.#dirty.length);
  }

  /** All of them were written, at the tail, to be repeated by the next group. */
  written(): void {
    this.#news = false;
  }

  /** All of them are in a group that stays. */
  recorded(): void {
    this.#news = false;
    for (const partition of this.#dirty) partition.dirty = false;
    this.#dirty = [];
  }
}
