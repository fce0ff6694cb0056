/**
 * The syncs of durability `memory`: nobody waits for them, but for the one between two segments. They keep small what a crash
 * of the machine may take, and keep it a tail: no byte of a segment is written before the one before it is on the disk, or
 * recovery would find the hole in the middle and have to call it damage.
 */
import type { FileSystem } from './file-system.js';
import type { Segment } from './segment.js';

/** Short, so that the sync at the end of a segment has little left to do. */
export const MEMORY_SYNC_BYTES = 4 * 1024 * 1024;

export class MemorySync {
  readonly #fs: FileSystem;
  readonly #onFailed: (error: Error) => void;
  #unsyncedBytes = 0;
  #running = false;

  constructor(fs: FileSystem, onFailed: (error: Error) => void) {
    this.#fs = fs;
    this.#onFailed = onFailed;
  }

  /** `bytes` more were written to `segment`. */
  wrote(segment: Segment, bytes: number): void {
    this.#unsyncedBytes += bytes;
    if (this.#unsyncedBytes < MEMORY_SYNC_BYTES || this.#running) return;
    this.#running = true;
    this.sync(segment, () => {
      this.#running = false;
    });
  }

  /** Calls `done` later, unless it fails. */
  sync(segment: Segment, done: () => void): void {
    this.#unsyncedBytes = 0;
    segment.acquire();
    this.#fs.fdatasync(segment.fd, (error) => {
      segment.release();
      if (error !== null) this.#onFailed(error);
      else done();
    });
  }
}
