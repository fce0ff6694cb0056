/**
 * The zip around a spreadsheet: its directory by yauzl, its bytes by ranges of the source, nothing on disk.
 *
 * Everything that a zip claims is distrusted. What it unpacks to is counted as it comes out, against a budget that all parts share
 * and a ratio that no honest sheet reaches; parts that lie over one another, the trick of the densest bombs, are refused before
 * anything is unpacked. Each part has to come to its own checksum.
 */
import { pipeline, type Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { TetherError } from '../../../../runtime/errors.js';
import { FileError, SourceEndedError } from '../errors.js';
import type { ByteSource } from '../table-file.js';

const ENTRIES_MAX = 2_000;
/** Of all parts that are read, together: 20 times the largest file. */
const UNPACKED_BYTES_MAX = 1024 * 1024 * 1024;
/** Rows of blank cells come to about 100; deflate can come to 1,032. */
const RATIO_MAX = 200;
/** Below it no ratio is of interest. */
const RATIO_FROM_BYTES = 4 * 1024 * 1024;
/** The directory is read in a few requests, not in two for each entry. */
const BLOCK_BYTES = 64 * 1024;
const STORED = 0;
const DEFLATED = 8;

/** What may be unpacked, and made of it, while one file is read. */
export class Budget {
  #left: number;

  constructor(bytes: number = UNPACKED_BYTES_MAX) {
    this.#left = bytes;
  }

  /** @throws FileError */
  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw tooLarge();
  }
}

interface PartStream {
  readonly chunks: AsyncIterable<Buffer>;
  /** From 0 to 1: how much of the part has been read. */
  progress(): number;
}

export class Zip {
  readonly #source: ByteSource;
  readonly #file: ZipFile;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(source: ByteSource, file: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.#source = source;
    this.#file = file;
    this.#entries = entries;
  }

  /** @throws FileError, and what the source throws */
  static async open(source: ByteSource): Promise<Zip> {
    try {
      const file = await fromRandomAccessReaderPromise(new RangeReader(source), source.bytes, {
        autoClose: false,
      });
      if (file.entryCount > ENTRIES_MAX) throw tooLarge();
      const entries = new Map<string, Entry>();
      for await (const entry of file.eachEntry()) {
        if (entry.isEncrypted()) throw new FileError('encrypted', 'the spreadsheet is encrypted');
        // Part names differ in more than case, says the standard of packages.
        const name = entry.fileName.toLowerCase();
        if (entries.has(name)) throw broken();
        entries.set(name, entry);
      }
      refuseOverlaps([...entries.values()], source.bytes);
      return new Zip(source, file, entries);
    } catch (error) {
      throw asFileError(error);
    }
  }

  has(name: string): boolean {
    return this.#entries.has(name.toLowerCase());
  }

  /** @throws FileError there is no such part, or it cannot be unpacked */
  async part(name: string, budget: Budget): Promise<PartStream> {
    const entry = this.#entries.get(name.toLowerCase());
    if (entry === undefined) throw new FileError('not-a-table', 'the spreadsheet lacks one of its parts');
    if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) throw broken();
    const { start, raw } = await this.#rawStream(entry);
    const size = entry.compressedSize;
    let packed = 0;
    async function* count(): AsyncGenerator<Buffer> {
      for await (const chunk of raw as AsyncIterable<Buffer>) {
        packed += chunk.length;
        yield chunk;
      }
      if (packed < size) throw new SourceEndedError(`${packed} of ${size} bytes from ${start} on came`);
    }
    return { chunks: unpack(entry, raw, count(), budget), progress: () => (size === 0 ? 1 : packed / size) };
  }

  async #rawStream(entry: Entry): Promise<{ readonly start: number; readonly raw: Readable }> {
    try {
      const { fileDataStart: start } = await this.#file.readLocalFileHeaderPromise(entry, { minimal: true });
      return { start, raw: await this.#source.read(start, start + entry.compressedSize) };
    } catch (error) {
      throw asFileError(error);
    }
  }
}

async function* unpack(
  entry: Entry,
  raw: Readable,
  packed: AsyncGenerator<Buffer>,
  budget: Budget,
): AsyncGenerator<Buffer> {
  // An error of either stream ends the loop below; the callback has nothing to add.
  const inflated =
    entry.compressionMethod === STORED
      ? undefined
      : pipeline(packed, createInflateRaw({ chunkSize: BLOCK_BYTES }), () => {});
  let bytes = 0;
  let checksum = 0;
  try {
    for await (const chunk of inflated ?? packed) {
      bytes += chunk.length;
      budget.take(chunk.length);
      if (bytes > RATIO_FROM_BYTES && bytes > RATIO_MAX * entry.compressedSize) throw tooLarge();
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
    if (checksum !== entry.crc32 || bytes !== entry.uncompressedSize) throw broken();
  } catch (error) {
    throw asFileError(error);
  } finally {
    // Also while it waits for its next chunk, which may not come.
    raw.destroy();
  }
}

/** Of each entry at least its header, name and data; the local header may have more. */
function refuseOverlaps(entries: readonly Entry[], fileBytes: number): void {
  const LOCAL_HEADER_BYTES = 30;
  const byStart = [...entries].sort((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  let end = 0;
  for (const { relativeOffsetOfLocalHeader, fileNameLength, compressedSize } of byStart) {
    if (relativeOffsetOfLocalHeader < end) throw tooLarge();
    end = relativeOffsetOfLocalHeader + LOCAL_HEADER_BYTES + fileNameLength + compressedSize;
  }
  if (end > fileBytes) throw broken();
}

/** What yauzl reads with: keeps the block it read last. */
class RangeReader extends RandomAccessReader {
  readonly #source: ByteSource;
  #start = 0;
  #block: Buffer = Buffer.alloc(0);

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    this.#read(position, length).then(
      (bytes) => callback(null, bytes.copy(buffer, offset)),
      (error) => callback(error instanceof Error ? error : new Error('the source failed', { cause: error })),
    );
  }

  async #read(position: number, length: number): Promise<Buffer> {
    const end = Math.min(position + length, this.#source.bytes);
    // What a broken directory points to, up to 2^64.
    if (!(position >= 0 && position < end)) return Buffer.alloc(0);
    if (position < this.#start || end > this.#start + this.#block.length) {
      const wanted = Math.min(position + Math.max(length, BLOCK_BYTES), this.#source.bytes);
      const chunks: Buffer[] = [];
      const stream = await this.#source.read(position, wanted);
      for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
      this.#block = Buffer.concat(chunks);
      this.#start = position;
      if (this.#block.length < wanted - position) {
        throw new SourceEndedError(
          `${this.#block.length} of ${wanted - position} bytes from ${position} on came`,
        );
      }
    }
    return this.#block.subarray(position - this.#start, end - this.#start);
  }
}

function tooLarge(): FileError {
  return new FileError('unpacks-too-large', 'the spreadsheet unpacks to more than is allowed');
}

function broken(cause?: unknown): FileError {
  return new FileError('not-a-table', 'the file is no zip, or a broken one', { cause });
}

/** What yauzl and zlib complain about is the file's fault; what the source throws is not. */
function asFileError(error: unknown): unknown {
  return error instanceof TetherError ? error : broken(error);
}
