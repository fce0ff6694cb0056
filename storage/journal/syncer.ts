/** Writes and syncs a segment's file: where and how long, by the policy; nothing about what is written. */
import { asError } from '../../runtime/failure.js';
import type { JournalClock } from './clock.js';
import type { FileSystem } from './file-system.js';
import type { SyncPolicy } from './sync-policy.js';

export class Syncer {
  readonly #fs: FileSystem;
  readonly #clock: JournalClock;
  readonly #policy: SyncPolicy;

  constructor(fs: FileSystem, clock: JournalClock, policy: SyncPolicy) {
    this.#fs = fs;
    this.#clock = clock;
    this.#policy = policy;
  }

  /**
   * Always inline: a copy into the page cache of a file whose blocks exist.
   * @throws what the operating system says
   */
  write(fd: number, buffer: Buffer, length: number, position: number): void {
    let done = 0;
    while (done < length) {
      const written = this.#fs.writeSync(fd, buffer, done, length - done, position + done);
      if (written <= 0) throw new Error(`a write of ${length - done} bytes wrote ${written}`);
      done += written;
    }
  }

  /** Calls `done` once, before it returns or later; with an error when the data may not be on the disk. */
  sync(fd: number, done: (error: Error | undefined) => void): void {
    const startUs = this.#clock.nowUs();
    if (this.#policy.choose(startUs) === 'pool') {
      this.#fs.fdatasync(fd, (error) => {
        const endUs = this.#clock.nowUs();
        this.#policy.record('pool', endUs - startUs, endUs);
        done(error ?? undefined);
      });
      return;
    }
    let failure: Error | undefined;
    try {
      this.#fs.fdatasyncSync(fd);
    } catch (error) {
      failure = asError(error);
    }
    const endUs = this.#clock.nowUs();
    this.#policy.record('inline', endUs - startUs, endUs);
    done(failure);
  }
}
