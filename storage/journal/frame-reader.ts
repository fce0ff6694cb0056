/**
 * Frames from the disk, for readers that have fallen behind what is in memory. Each record's crc is checked again, and
 * that it is the frame the index said: a wrong message is never handed out.
 */
import { LogReadError } from '../../runtime/errors.js';
import type { Frame } from '../../runtime/message-log.js';
import type { BlockCache } from './block-cache.js';
import { align, RECORD, RECORD_HEADER_BYTES } from './format.js';
import type { FrameIndex } from './frame-index.js';
import { readRecord, recordLength } from './group-reader.js';

export interface FrameSource {
  readonly channel: number;
  readonly index: number;
  indexOf(offset: number): FrameIndex | undefined;
}

export class FrameReader {
  readonly #cache: BlockCache;

  constructor(cache: BlockCache) {
    this.#cache = cache;
  }

  /** As `LogPartition.read`. @throws LogReadError */
  async read(source: FrameSource, offset: number, bytesMax: number): Promise<readonly Frame[]> {
    const frames: Frame[] = [];
    let bytesLeft = bytesMax;
    let next = offset;
    // Looked up anew for each frame: the index may be trimmed, and grow, while the disk is read.
    for (let index = source.indexOf(next); index !== undefined; index = source.indexOf(next)) {
      const frame = await this.#frame(source, index, next, frames.length === 0 ? Infinity : bytesLeft);
      if (frame === undefined) break;
      frames.push(frame);
      bytesLeft -= frame.body.length;
      next = frame.offset + frame.count;
    }
    return frames;
  }

  /** Undefined when its body is longer than `bytesMax`. */
  async #frame(
    source: FrameSource,
    index: FrameIndex,
    offset: number,
    bytesMax: number,
  ): Promise<Frame | undefined> {
    const { segment } = index;
    const entry = index.find(offset);
    const position = index.position(entry);
    const first = index.offset(entry);
    const damaged = (why: string, cause?: unknown) =>
      new LogReadError(`${segment.path} at byte ${position}: ${why}`, { cause });
    // Held over both reads: between them the last message may be committed and the segment deleted.
    segment.acquire();
    try {
      const header = await this.#cache.read(segment, position, RECORD_HEADER_BYTES);
      const length = recordLength(header, 0, Infinity);
      if (length === undefined || position + align(length) > segment.end)
        throw damaged('no record starts here');
      if (length - RECORD_HEADER_BYTES > bytesMax) return undefined;
      const bytes = await this.#cache.read(segment, position, align(length));
      const record = readRecord(bytes, 0, bytes.length);
      if (record === undefined) throw damaged('the checksum of a record does not fit');
      const { channel, index: partition } = source;
      if (
        record.type !== RECORD.frame ||
        record.channel !== channel ||
        record.partition !== partition ||
        record.offset !== first
      ) {
        throw damaged(`not the frame of channel ${channel}, partition ${partition} from offset ${first}`);
      }
      return { offset: first, count: record.count, body: bytes.subarray(RECORD_HEADER_BYTES, length) };
    } catch (cause) {
      throw cause instanceof LogReadError ? cause : damaged('it cannot be read', cause);
    } finally {
      segment.release();
    }
  }
}
