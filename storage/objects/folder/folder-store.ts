/**
 * Objects as files of a local directory: the embedded default, without a server. See `names.ts` for what is where.
 *
 * Nothing is kept in memory: any number of threads, and of processes on one machine, use the same folder. A multipart costs its bytes twice while it is
 * completed: its parts are written one behind the other into the object, in pieces of 1 MiB. Parts put straight at their place in one
 * file would save that, but a part that is put again would then damage the one that is there.
 *
 * A local disk answers or fails; of all the promises of `ObjectStore` only the deadline is not kept for one that hangs.
 */
import { type FileHandle, mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { hasCode } from '../../journal/has-code.js';
import {
  assertKey,
  assertLimit,
  assertPartBytes,
  assertPartNumber,
  assertParts,
  assertPrefix,
  assertRange,
} from '../checks.js';
import { ObjectNotFoundError, ObjectRefusedError } from '../errors.js';
import type {
  ByteRange,
  MultipartEntry,
  ObjectEntry,
  ObjectStat,
  ObjectStore,
  Part,
} from '../object-store.js';
import { FileStream } from './file-stream.js';
import { ObjectFiles, syncDirectory } from './files.js';
import {
  fileNameOf,
  isMultipart,
  keyOf,
  multipartName,
  multipartOf,
  newEtag,
  newMultipart,
  partName,
  partOf,
} from './names.js';

const COPY_BYTES = 1024 * 1024;

export class FolderObjectStore implements ObjectStore {
  readonly driver = 'folder';
  readonly presigner = undefined;
  readonly #files: ObjectFiles;
  #mode: 'open' | 'closed' = 'open';

  constructor(directory: string) {
    this.#files = new ObjectFiles(directory);
  }

  prepare(): Promise<void> {
    return this.#doing('prepare itself', () => this.#files.prepare());
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    assertKey(key);
    assertPartBytes(bytes.byteLength);
    await this.#doing(`put ${key}`, () =>
      this.#files.place(this.#files.path('objects'), fileNameOf(key), (file) =>
        this.#files.write(file, bytes),
      ),
    );
  }

  async beginMultipart(key: string): Promise<string> {
    assertKey(key);
    const multipart = newMultipart(Date.now());
    await this.#doing(`begin a multipart of ${key}`, async () => {
      await mkdir(this.#files.path('multiparts', multipartName(key, multipart)), { mode: 0o750 });
      await syncDirectory(this.#files.path('multiparts'));
    });
    return multipart;
  }

  async putPart(key: string, multipart: string, number: number, bytes: Uint8Array): Promise<Part> {
    assertPartNumber(number);
    assertPartBytes(bytes.byteLength);
    const part = { number, bytes: bytes.byteLength, etag: newEtag() };
    const name = partName(number, part.etag);
    await this.#inMultipart(`put part ${number} of ${key}`, key, multipart, async (directory) => {
      // A temporary file for a multipart that is gone would be written for nothing.
      await stat(directory);
      await this.#files.place(directory, name, (file) => this.#files.write(file, bytes));
      for (const other of await readdir(directory)) {
        if (other !== name && partOf(other)?.number === number)
          await unlink(join(directory, other)).catch(unlessGone);
      }
    });
    return part;
  }

  listParts(key: string, multipart: string): Promise<readonly Part[]> {
    return this.#inMultipart(`list the parts of ${key}`, key, multipart, async (directory) => {
      const latest = new Map<number, Part & { readonly at: number }>();
      for (const name of await readdir(directory)) {
        const part = partOf(name);
        if (part === undefined) continue;
        const found = await stat(join(directory, name)).catch(unlessGone);
        // Two of one number: a crash came between the put and the removal of the one before.
        if (found === undefined || (latest.get(part.number)?.at ?? 0) > found.mtimeMs) continue;
        latest.set(part.number, { ...part, bytes: found.size, at: found.mtimeMs });
      }
      return [...latest.values()]
        .sort((a, b) => a.number - b.number)
        .map(({ number, bytes, etag }) => ({ number, bytes, etag }));
    });
  }

  async completeMultipart(key: string, multipart: string, parts: readonly Part[]): Promise<void> {
    assertParts(parts);
    await this.#inMultipart(`complete ${key}`, key, multipart, async (directory) => {
      const there = new Set(await readdir(directory));
      if (parts.some(({ number, etag }) => !there.has(partName(number, etag)))) {
        throw new ObjectRefusedError(`the parts of ${key} are not those that are there`);
      }
      const buffer = Buffer.allocUnsafeSlow(COPY_BYTES);
      await this.#files.place(this.#files.path('objects'), fileNameOf(key), async (file) => {
        for (const { number, bytes, etag } of parts) {
          const copied = await this.#files.append(file, join(directory, partName(number, etag)), buffer);
          if (copied !== bytes)
            throw new ObjectRefusedError(`part ${number} of ${key} has not ${bytes} bytes`);
        }
      });
      await this.#files.discard(directory).catch(unlessGone);
      await syncDirectory(this.#files.path('multiparts'));
    });
  }

  async abortMultipart(key: string, multipart: string): Promise<void> {
    await this.#inMultipart(`abort a multipart of ${key}`, key, multipart, async (directory) => {
      await this.#files.discard(directory);
      await syncDirectory(this.#files.path('multiparts'));
    }).catch((error) => {
      if (!(error instanceof ObjectNotFoundError)) throw error;
    });
  }

  async listMultiparts(prefix: string, limit: number): Promise<readonly MultipartEntry[]> {
    assertPrefix(prefix);
    assertLimit(limit);
    const names = await this.#doing('list multiparts', () => readdir(this.#files.path('multiparts')));
    return names
      .flatMap((name) => multipartOf(name) ?? [])
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.multipart < b.multipart ? -1 : 1))
      .slice(0, limit);
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    assertKey(key);
    if (range !== undefined) assertRange(range);
    const doing = `read ${key}`;
    return this.#ofObject(doing, key, async (path) => {
      const file = await open(path, 'r');
      const { start = 0, end } = range ?? {};
      const size = await sizeOf(file);
      return new FileStream(file, start, Math.min(end ?? size, size), (error) =>
        this.#files.toError(error, doing),
      );
    });
  }

  async stat(key: string): Promise<ObjectStat | undefined> {
    assertKey(key);
    try {
      const { size, mtime } = await this.#ofObject(`look at ${key}`, key, (path) => stat(path));
      return { bytes: size, modifiedAt: mtime };
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return undefined;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    assertKey(key);
    await this.#ofObject(`delete ${key}`, key, async (path) => {
      await unlink(path);
      await syncDirectory(this.#files.path('objects'));
    }).catch((error) => {
      if (!(error instanceof ObjectNotFoundError)) throw error;
    });
  }

  async list(
    prefix: string,
    { after = '', limit }: { readonly after?: string; readonly limit: number },
  ): Promise<readonly ObjectEntry[]> {
    assertPrefix(prefix);
    assertLimit(limit);
    if (after !== '') assertKey(after);
    return this.#doing('list objects', async () => {
      const keys = (await readdir(this.#files.path('objects')))
        .flatMap((name) => keyOf(name) ?? [])
        .filter((key) => key.startsWith(prefix) && key > after)
        .sort();
      const found: ObjectEntry[] = [];
      for (const key of keys) {
        if (found.length === limit) break;
        const file = await stat(this.#files.path('objects', fileNameOf(key))).catch(unlessGone);
        if (file !== undefined) found.push({ key, bytes: file.size, modifiedAt: file.mtime });
      }
      return found;
    });
  }

  async close(): Promise<void> {
    this.#mode = 'closed';
  }

  async #doing<T>(doing: string, work: () => Promise<T>): Promise<T> {
    if (this.#mode === 'closed') throw new ObjectRefusedError('the object store is closed');
    try {
      return await work();
    } catch (error) {
      throw this.#files.toError(error, doing);
    }
  }

  /** A file that is missing is the object's. */
  #ofObject<T>(doing: string, key: string, work: (path: string) => Promise<T>): Promise<T> {
    return this.#doing(doing, async () => {
      try {
        return await work(this.#files.path('objects', fileNameOf(key)));
      } catch (error) {
        if (await this.#files.isMissing(error))
          throw new ObjectNotFoundError(`the object ${key} is not there`);
        throw error;
      }
    });
  }

  /** A file that is missing is the multipart's: it has been completed or aborted. */
  async #inMultipart<T>(
    doing: string,
    key: string,
    multipart: string,
    work: (directory: string) => Promise<T>,
  ): Promise<T> {
    assertKey(key);
    const gone = () => new ObjectNotFoundError(`the multipart of ${key} is not there`);
    return this.#doing(doing, async () => {
      if (!isMultipart(multipart)) throw gone();
      try {
        return await work(this.#files.path('multiparts', multipartName(key, multipart)));
      } catch (error) {
        if (await this.#files.isMissing(error)) throw gone();
        throw error;
      }
    });
  }
}

async function sizeOf(file: FileHandle): Promise<number> {
  try {
    return (await file.stat()).size;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function unlessGone(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error;
  return undefined;
}
