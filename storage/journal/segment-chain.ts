/**
 * The segments of a journal in their order: sealed ones, the active one, and the one being prepared to follow it.
 *
 * Their files together never pass `bytesMax`. The oldest go first, one at a time, each deletion made durable before the
 * next: a crash never leaves a gap.
 */
import type { Logger } from '../../runtime/logger.js';
import type { BlockCache } from './block-cache.js';
import type { FileSystem } from './file-system.js';
import { hasCode } from './has-code.js';
import type { Segment } from './segment.js';
import type { PreparedSegment, SegmentPreparer } from './segment-preparer.js';

export class SegmentChain {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #cache: BlockCache;
  readonly #preparer: SegmentPreparer;
  readonly #segmentBytes: number;
  readonly #bytesMax: number;
  readonly #sealed: Segment[];
  #active: Segment;
  /**
   * Of the segment to prepare next. Not simply the one after the active one: that may be taken already and wait for
   * its first sync, and a new file must never replace it.
   */
  #nextNumber: number;
  /** Of the files that exist or are being made. */
  #bytes: number;
  /** Retired in memory, their files still to be deleted, in order. */
  readonly #doomed: Segment[] = [];
  #deleting: Promise<void> | undefined;

  constructor(parts: {
    fs: FileSystem;
    directory: string;
    logger: Logger;
    cache: BlockCache;
    preparer: SegmentPreparer;
    segmentBytes: number;
    bytesMax: number;
    segments: readonly Segment[];
    active: Segment;
    preparedBytes: number;
  }) {
    this.#fs = parts.fs;
    this.#directory = parts.directory;
    this.#logger = parts.logger;
    this.#cache = parts.cache;
    this.#preparer = parts.preparer;
    this.#segmentBytes = parts.segmentBytes;
    this.#bytesMax = parts.bytesMax;
    this.#sealed = [...parts.segments];
    this.#active = parts.active;
    this.#bytes = parts.preparedBytes;
    this.#nextNumber = parts.active.number + (parts.preparedBytes > 0 ? 2 : 1);
    for (const segment of [...this.#sealed, this.#active]) this.#bytes += segment.bytes;
  }

  get active(): Segment {
    return this.#active;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** With messages in them or to come: active and sealed. */
  get length(): number {
    return this.#sealed.length + 1;
  }

  get preparing(): boolean {
    return this.#preparer.state === 'preparing';
  }

  /** Why there is no next segment, when that is an error. */
  get failure(): Error | undefined {
    return this.#preparer.failure;
  }

  takeNext(): PreparedSegment | undefined {
    return this.#preparer.take();
  }

  /** Starts to prepare the next segment, if there is none and the size allows one. */
  prepareNext(): void {
    if (this.#preparer.state !== 'idle' || this.#bytes + this.#segmentBytes > this.#bytesMax) return;
    this.#bytes += this.#segmentBytes;
    this.#preparer.prepare(this.#nextNumber, this.#segmentBytes);
    this.#nextNumber++;
  }

  activate(segment: Segment): void {
    this.#active.seal();
    this.#sealed.push(this.#active);
    this.#active = segment;
  }

  /** How many of the oldest sealed segments hold nothing uncommitted. */
  get reclaimable(): number {
    let count = 0;
    while (count < this.#sealed.length && this.#sealed[count]?.live === 0) count++;
    return count;
  }

  /** Deletes the `count` oldest sealed segments, in the background. That they are committed must be durable. */
  retire(count: number): void {
    this.#doomed.push(...this.#sealed.splice(0, count));
    if (this.#doomed.length > 0) this.#deleting ??= this.#deleteDoomed();
  }

  /** Waits for deletions and closes what is open. */
  async close(): Promise<void> {
    await this.#deleting;
    await Promise.all(
      [...this.#doomed, ...this.#sealed, this.#active].map((segment) => this.#release(segment)),
    );
  }

  async #deleteDoomed(): Promise<void> {
    try {
      for (let segment = this.#doomed[0]; segment !== undefined; segment = this.#doomed[0]) {
        await this.#unlink(segment.path);
        await this.#fs.syncDirectory(this.#directory);
        this.#doomed.shift();
        this.#bytes -= segment.bytes;
        await this.#release(segment);
        this.prepareNext();
      }
    } catch (error) {
      // Kept in line: the next retirement tries again, and so does a restart.
      this.#logger.error({ err: error }, 'cannot delete a segment of the journal');
    } finally {
      this.#deleting = undefined;
    }
  }

  /** An earlier try may have come as far as this, and failed at the directory. */
  async #unlink(path: string): Promise<void> {
    try {
      await this.#fs.unlink(path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  async #release(segment: Segment): Promise<void> {
    await segment.retire();
    this.#cache.forget(segment);
    await this.#fs.close(segment.fd);
  }
}
