/**
 * How the files of a folder are written, so that a name stands for whole and durable bytes only: to a temporary file, which is synced,
 * then gets its name, which is synced too.
 *
 * Temporary files have random names: any number of threads work in one folder. What a crash left is removed when it is a
 * day old, which no write takes.
 */
import { type FileHandle, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TetherError } from '../../../runtime/errors.js';
import { hasCode } from '../../journal/has-code.js';
import { makeDirectory } from '../../make-directory.js';
import { ObjectStoreUnavailableError } from '../errors.js';
import { DIRECTORIES, temporaryName } from './names.js';

/** Between two syncs of a file that is written. */
const SYNC_BYTES = 1024 * 1024;
const LEFTOVER_MS = 24 * 3_600_000;

export class ObjectFiles {
  readonly #directory: string;
  /** The last step of writing that is under way or waits. Never rejects. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
  }

  path(directory: (typeof DIRECTORIES)[number], ...names: readonly string[]): string {
    return join(this.#directory, directory, ...names);
  }

  async prepare(): Promise<void> {
    for (const name of DIRECTORIES) await makeDirectory(this.path(name), 0o750);
    await syncDirectory(this.#directory);
    // So that the folder itself is there after a crash. Some may write below a directory that they must not read.
    await syncDirectory(dirname(this.#directory)).catch((error) => {
      if (!hasCode(error, 'EACCES', 'EPERM')) throw error;
    });
    // That files can be written at all.
    const probe = this.path('temporary', temporaryName());
    await (await open(probe, 'wx', 0o640)).close();
    await unlink(probe);
    await this.#sweep();
  }

  /** Writes a file and gives it its name in `directory`, which replaces the one before it. */
  async place(directory: string, name: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
    const temporary = this.path('temporary', temporaryName());
    try {
      const file = await open(temporary, 'wx', 0o640);
      try {
        await write(file);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(temporary, join(directory, name));
    } catch (error) {
      // The first error is the one to tell; what cannot be removed now is swept later.
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
    await syncDirectory(directory);
  }

  /**
   * All of the bytes, synced as they are written, and one step after another whatever the number of files: what is handed to the disk at once
   * holds up every other sync on it, and the journal's is what senders of webhooks wait for.
   */
  async write(file: FileHandle, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength; ) {
      const from = done;
      const step = this.#turn.then(() => writeAndSync(file, bytes, from));
      this.#turn = step.catch(() => {});
      done += await step;
    }
  }

  /** Copies a file behind what has been written, by way of the buffer. The number of bytes. */
  async append(file: FileHandle, path: string, buffer: Buffer): Promise<number> {
    const source = await open(path, 'r');
    try {
      let copied = 0;
      for (;;) {
        const { bytesRead } = await source.read(buffer, 0, buffer.length, copied);
        if (bytesRead === 0) return copied;
        await this.write(file, buffer.subarray(0, bytesRead));
        copied += bytesRead;
      }
    } finally {
      await source.close();
    }
  }

  /** Takes a directory away at once, then removes it. */
  async discard(path: string): Promise<void> {
    const temporary = this.path('temporary', temporaryName());
    await rename(path, temporary);
    await rm(temporary, { recursive: true, force: true });
  }

  /**
   * Whether a file is missing while the folder is there. Without the folder (a disk that is not mounted) nothing is known
   * of any object.
   */
  async isMissing(error: unknown): Promise<boolean> {
    if (!hasCode(error, 'ENOENT')) return false;
    await stat(this.path('temporary'));
    return true;
  }

  toError(error: unknown, doing: string): Error {
    if (error instanceof TetherError || error instanceof RangeError) return error;
    const reason = error instanceof Error ? error.message : String(error);
    return new ObjectStoreUnavailableError(`the folder of objects did not ${doing}: ${reason}`, {
      cause: error,
    });
  }

  async #sweep(): Promise<void> {
    const directory = this.path('temporary');
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      try {
        if ((await stat(path)).mtimeMs < Date.now() - LEFTOVER_MS)
          await rm(path, { recursive: true, force: true });
      } catch (error) {
        // Another thread was faster.
        if (!hasCode(error, 'ENOENT')) throw error;
      }
    }
  }
}

/** Makes renames and removals in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** At most `SYNC_BYTES`. The number of bytes. */
async function writeAndSync(file: FileHandle, bytes: Uint8Array, from: number): Promise<number> {
  const { bytesWritten } = await file.write(bytes, from, Math.min(bytes.byteLength - from, SYNC_BYTES));
  await file.datasync();
  return bytesWritten;
}
