/**
 * The segments of a journal in their order: sealed ones, the active one, and the one being prepared to follow it.
 *
 * The oldest go first, one at a time, each deletion made durable before the next: a crash never leaves a gap.
 *
 * How many there may be:
 * - two, always: one to write on, one to follow it
 * - for senders, what `bytesMax` takes
 * - for messages that pass on, `PASSED_ON_TIMES` that much: actors that empty the journal need room before they give room back
 *
 * An example, with room for 8 segments. Webhooks have filled them, none is routed yet: senders are refused. The actor `webhook` has
 * handled what was in the first, and put two messages for other actors on the log for each of its own: two segments more, one less. When
 * the eighth is handled there are 16, in which messages of those other actors stand and nothing else; as these are done the journal gets
 * shorter, and at 8 it is open. With more than four messages for each of its own it had come to 32, and `webhook` would wait.
 */
import type { Logger } from '../../runtime/logger.js';
import type { BlockCache } from './block-cache.js';
import type { FileSystem } from './file-system.js';
import { hasCode } from './has-code.js';
import type { Segment } from './segment.js';
import type { PreparedSegment, SegmentPreparer } from './segment-preparer.js';

/**
 * So many times `bytesMax` is the end for everybody. While all actors work, each message may lead to so many of its size; while some are
 * held up, to one less. No limit at all, and an actor that sends itself two messages for each would fill the disk.
 */
export const PASSED_ON_TIMES = 4;

export class SegmentChain {
  /** Called after a segment is deleted. */
  onDeleted: (() => void) | undefined;
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

  /** Whether there are more than senders may fill. */
  get isOver(): boolean {
    return !this.#isShort && this.#bytes > this.#bytesMax;
  }

  /** Whether there is a segment to go on with, and senders may fill it. */
  get hasRoom(): boolean {
    return this.#preparer.state === 'ready' && !this.isOver;
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
    this.#prepare(this.#isShort ? Number.POSITIVE_INFINITY : this.#bytesMax);
  }

  /** The same beyond what senders may fill. Whether it is being prepared. */
  prepareBeyond(): boolean {
    return this.#prepare(PASSED_ON_TIMES * this.#bytesMax);
  }

  /** Nothing but the active one: another may follow, whatever size it had been made with. */
  get #isShort(): boolean {
    return this.#sealed.length === 0 && this.#doomed.length === 0;
  }

  #prepare(bytesMax: number): boolean {
    if (this.#preparer.state !== 'idle' || this.#bytes + this.#segmentBytes > bytesMax) return false;
    this.#bytes += this.#segmentBytes;
    this.#preparer.prepare(this.#nextNumber, this.#segmentBytes);
    this.#nextNumber++;
    return true;
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
        this.onDeleted?.();
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
