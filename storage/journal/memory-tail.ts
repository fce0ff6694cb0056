/**
 * The newest groups, kept in memory for readers that keep up.
 *
 * A chunk is the buffer of one group commit; the frames in it are views. It goes when all its frames are committed, and
 * the oldest go when all chunks together pass `bytesMax`: a reader that has not come so far reads from the disk.
 */

/** A partition, as far as eviction is concerned. */
export interface TailOwner {
  /** Drops its oldest frame in memory, which lies in the chunk being evicted. */
  dropOldestFrame(): void;
}

export class TailChunk {
  readonly bytes: number;
  /** One for each frame, in the order of the frames. */
  readonly owners: readonly TailOwner[];
  /** Frames not committed yet. */
  live: number;
  previous: TailChunk | undefined;
  next: TailChunk | undefined;

  constructor(bytes: number, owners: readonly TailOwner[]) {
    this.bytes = bytes;
    this.owners = owners;
    this.live = owners.length;
  }
}

export class MemoryTail {
  readonly bytesMax: number;
  #bytes = 0;
  #oldest: TailChunk | undefined;
  #newest: TailChunk | undefined;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a chunk, after its frames are with their owners, and evicts until all fit. */
  add(chunk: TailChunk): void {
    chunk.previous = this.#newest;
    if (this.#newest === undefined) this.#oldest = chunk;
    else this.#newest.next = chunk;
    this.#newest = chunk;
    this.#bytes += chunk.bytes;
    while (this.#bytes > this.bytesMax && this.#oldest !== undefined) this.#evict(this.#oldest);
  }

  /** One of the chunk's frames is committed; its owner has let go of it. */
  release(chunk: TailChunk): void {
    chunk.live--;
    if (chunk.live === 0) this.#remove(chunk);
  }

  #evict(chunk: TailChunk): void {
    for (const owner of chunk.owners) owner.dropOldestFrame();
    if (chunk.live !== 0) throw new Error(`an evicted chunk has ${chunk.live} live frames`);
  }

  #remove(chunk: TailChunk): void {
    if (chunk.previous === undefined) this.#oldest = chunk.next;
    else chunk.previous.next = chunk.next;
    if (chunk.next === undefined) this.#newest = chunk.previous;
    else chunk.next.previous = chunk.previous;
    chunk.previous = undefined;
    chunk.next = undefined;
    this.#bytes -= chunk.bytes;
  }
}
