/**
 * The files of one kind of record: `<64 hex digits of the record's id>.rec` in a directory of their own.
 *
 * A record is written in three steps: to a temporary file, which is synced; renamed to its name, which replaces the record
 * before it; and the directory synced. Until the last of them a crash leaves the old record or the new one, never a part.
 * `place` and `remove` are what others see at once, `sync` is what makes them durable: between the two the caller
 * notes in memory what the disk shows, which stays true when the sync fails.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { FileSystem } from '../journal/file-system.js';
import { hasCode } from '../journal/has-code.js';
import { FolderDamagedError, toFolderError } from './errors.js';
import { decodeRecord, encodeRecord, type Field, FieldReader } from './format.js';
import { forEachBounded } from './turns.js';

const NAME = /^([0-9a-f]{64})\.rec$/;
const TEMPORARY_NAME = /^[0-9a-f]{64}\.[0-9a-f]{12}\.tmp$/;

export interface FoundRecord<T> {
  readonly id: string;
  readonly record: T;
}

/** A record of a kind: its fields, and the id that they make. */
export interface RecordKind<T> {
  encode(record: T): readonly Field[];
  decode(fields: FieldReader): T;
  id(record: T): string;
}

export class RecordFiles<T> {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #kind: RecordKind<T>;
  #syncing: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;

  constructor(fs: FileSystem, directory: string, kind: RecordKind<T>) {
    this.#fs = fs;
    this.#directory = directory;
    this.#kind = kind;
  }

  /** Makes the directory and removes what writes that were cut off have left. Only for the owner of the folder. */
  async prepare(): Promise<void> {
    await this.#using(this.#directory, async () => {
      await this.#fs.mkdir(this.#directory);
      for (const name of await this.#fs.readdir(this.#directory)) {
        if (TEMPORARY_NAME.test(name)) await this.#fs.unlink(join(this.#directory, name));
      }
    });
  }

  /**
   * Every record, in no order.
   * @throws FolderDamagedError for the first file that is none, however many are sound
   */
  async readAll(): Promise<readonly FoundRecord<T>[]> {
    const names = await this.#using(this.#directory, () => this.#fs.readdir(this.#directory));
    // Names with a dot in front belong to the file system or a file manager.
    const files = names.filter((name) => !TEMPORARY_NAME.test(name) && !name.startsWith('.'));
    return forEachBounded(files, async (name) => {
      const id = NAME.exec(name)?.[1];
      const record = id === undefined ? undefined : await this.read(id);
      if (id === undefined || record === undefined) {
        throw new FolderDamagedError(join(this.#directory, name), 'it is no file of this folder');
      }
      return { id, record };
    });
  }

  /** @throws FolderDamagedError, FolderFormatError, FolderUnavailableError */
  async read(id: string): Promise<T | undefined> {
    const path = this.#path(id);
    const bytes = await this.#using(path, () => this.#bytesOf(path));
    if (bytes === undefined) return undefined;
    const fields = new FieldReader(path, decodeRecord(path, bytes));
    const record = this.#kind.decode(fields);
    fields.end();
    if (this.#kind.id(record) !== id) throw new FolderDamagedError(path, 'it holds a record of another name');
    return record;
  }

  /** On the disk, and there for the next `read`; its name is durable after `sync`. */
  async place(record: T): Promise<void> {
    const id = this.#kind.id(record);
    const bytes = encodeRecord(this.#kind.encode(record));
    const path = this.#path(id);
    const temporary = join(this.#directory, `${id}.${randomBytes(6).toString('hex')}.tmp`);
    await this.#using(path, async () => {
      const fd = await this.#fs.open(temporary, 'wx+');
      try {
        try {
          await this.#fs.write(fd, bytes, 0, bytes.length, 0);
          await this.#fs.fsync(fd);
        } finally {
          await this.#fs.close(fd);
        }
        await this.#fs.rename(temporary, path);
      } catch (error) {
        // The first error is the one to tell; what cannot be removed now is at the next start.
        await this.#fs.unlink(temporary).catch(() => {});
        throw error;
      }
    });
  }

  /** Whether there was one. */
  async remove(id: string): Promise<boolean> {
    const path = this.#path(id);
    return this.#using(path, async () => {
      try {
        await this.#fs.unlink(path);
        return true;
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return false;
        throw error;
      }
    });
  }

  /** One sync serves all who ask while the one before it is under way. */
  sync(): Promise<void> {
    if (this.#nextSync !== undefined) return this.#nextSync;
    if (this.#syncing === undefined) return this.#beginSync();
    const begin = (): Promise<void> => {
      this.#nextSync = undefined;
      return this.#beginSync();
    };
    this.#nextSync = this.#syncing.then(begin, begin);
    return this.#nextSync;
  }

  #beginSync(): Promise<void> {
    const syncing = this.#using(this.#directory, () => this.#fs.syncDirectory(this.#directory)).finally(
      () => {
        if (this.#syncing === syncing) this.#syncing = undefined;
      },
    );
    this.#syncing = syncing;
    return syncing;
  }

  async #bytesOf(path: string): Promise<Buffer | undefined> {
    let fd: number;
    try {
      fd = await this.#fs.open(path, 'r+');
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
    try {
      const size = await this.#fs.size(fd);
      // Not from the pool: what is decoded are views of it, which are kept.
      const bytes = Buffer.allocUnsafeSlow(size);
      const read = await this.#fs.read(fd, bytes, 0, size, 0);
      return bytes.subarray(0, read);
    } finally {
      await this.#fs.close(fd);
    }
  }

  #path(id: string): string {
    return join(this.#directory, `${id}.rec`);
  }

  async #using<R>(path: string, work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      throw toFolderError(error, path);
    }
  }
}
