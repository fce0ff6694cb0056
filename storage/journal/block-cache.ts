/**
 * Segments read from the disk in aligned blocks, the recent ones kept.
 *
 * Partitions that lag read the same segments in step, each a frame here and there: by the block that is sequential I/O.
 * Reads of one block at the same time share one read. Blocks of the active segment are valid up to where it was written
 * when they were read; asked for more, they are read again.
 */
import type { FileSystem } from './file-system.js';
import type { Segment } from './segment.js';

interface Block {
  readonly bytes: Buffer;
  /** Bytes of it that were written when it was read. */
  readonly valid: number;
}

export class BlockCache {
  readonly #fs: FileSystem;
  readonly #blockBytes: number;
  readonly #blocksMax: number;
  /** In order of use, latest last. */
  readonly #blocks = new Map<string, Block>();
  readonly #reading = new Map<string, Promise<Block>>();
  #reads = 0;

  constructor(fs: FileSystem, options: { readonly blockBytes: number; readonly bytesMax: number }) {
    this.#fs = fs;
    this.#blockBytes = options.blockBytes;
    this.#blocksMax = Math.max(1, Math.floor(options.bytesMax / options.blockBytes));
  }

  /** Blocks read from the disk so far. */
  get reads(): number {
    return this.#reads;
  }

  get bytes(): number {
    return this.#blocks.size * this.#blockBytes;
  }

  /** A copy of `length` bytes of a segment, all of them below its `end`. Rejects with the error of the read. */
  async read(segment: Segment, position: number, length: number): Promise<Buffer> {
    const copy = Buffer.allocUnsafeSlow(length);
    segment.acquire();
    try {
      let done = 0;
      while (done < length) {
        const at = position + done;
        const number = Math.floor(at / this.#blockBytes);
        const from = at - number * this.#blockBytes;
        const part = Math.min(length - done, this.#blockBytes - from);
        const key = `${segment.number}/${number}`;
        const block = this.#cached(key, from + part) ?? (await this.#load(segment, number, key, from + part));
        block.bytes.copy(copy, done, from, from + part);
        done += part;
      }
    } finally {
      segment.release();
    }
    return copy;
  }

  /** Forgets the blocks of a segment that is gone. */
  forget(segment: Segment): void {
    for (const key of this.#blocks.keys()) {
      if (key.startsWith(`${segment.number}/`)) this.#blocks.delete(key);
    }
  }

  #cached(key: string, needed: number): Block | undefined {
    const block = this.#blocks.get(key);
    if (block === undefined || block.valid < needed) return undefined;
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    return block;
  }

  async #load(segment: Segment, number: number, key: string, needed: number): Promise<Block> {
    const running = this.#reading.get(key);
    if (running !== undefined) {
      const block = await running;
      if (block.valid >= needed) return block;
    }
    const start = number * this.#blockBytes;
    const valid = Math.min(this.#blockBytes, segment.end - start);
    const reading = this.#readBlock(segment, start, valid);
    this.#reading.set(key, reading);
    try {
      const block = await reading;
      if (block.valid < needed) {
        throw new Error(`${segment.path} ends at byte ${start + block.valid}, short of ${start + needed}`);
      }
      if (segment.state !== 'retired') this.#keep(key, block);
      return block;
    } finally {
      if (this.#reading.get(key) === reading) this.#reading.delete(key);
    }
  }

  async #readBlock(segment: Segment, start: number, valid: number): Promise<Block> {
    this.#reads++;
    const bytes = Buffer.allocUnsafeSlow(valid);
    const read = await this.#fs.read(segment.fd, bytes, 0, valid, start);
    return { bytes, valid: read };
  }

  #keep(key: string, block: Block): void {
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= this.#blocksMax) break;
      this.#blocks.delete(oldest);
    }
  }
}
