/**
 * Reads a journal's directory at the start: every byte of every segment is checked, what is found is decided on by
 * `recovery-table.ts`, and only when all of it is found sound anything on the disk is changed (`repair.ts`).
 */
import { join } from 'node:path';
import { JournalDamagedError, JournalFormatError } from './errors.js';
import type { FileSystem } from './file-system.js';
import {
  isTemporaryName,
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  segmentName,
  segmentNumber,
} from './format.js';
import { provesSynced, readGroup, usedEnd } from './group-reader.js';
import { classify } from './recovery-table.js';
import { Replay, type ReplayedChannel } from './replay.js';

const READ_BYTES = 4 * 1024 * 1024;
/** Checked between two turns of the event loop, some milliseconds. */
const TURN_BYTES = 8 * 1024 * 1024;

/** Frames of one partition in one segment. */
export interface RecoveredFrames {
  readonly channel: number;
  readonly partition: number;
  /** Offset of the first, and the one after the last. */
  readonly base: number;
  readonly end: number;
  /** Pairs of position and offset - base. */
  readonly entries: Uint32Array;
}

export interface FoundSegment {
  readonly number: number;
  readonly path: string;
  readonly bytes: number;
}

export interface RecoveredSegment extends FoundSegment {
  readonly salt: number;
  /** Position after the last valid group. */
  readonly end: number;
  readonly frames: readonly RecoveredFrames[];
}

export interface Recovery {
  /** In order; the last one is to be written on. */
  readonly segments: readonly RecoveredSegment[];
  /** All zeros, behind the segments. */
  readonly prepared: readonly FoundSegment[];
  readonly temporary: readonly string[];
  /** What a crash left behind of a group that nobody was told of: to be zeroed. */
  readonly torn: { readonly path: string; readonly from: number; readonly to: number } | undefined;
  /** In the last segment, the first group that is not proven to be on the disk; its end if all are. */
  readonly unprovenFrom: number;
  readonly partitions: number;
  readonly channels: readonly ReplayedChannel[];
  /** Of the last group; 0 when there is none. */
  readonly sequence: number;
}

/** @throws JournalDamagedError, JournalFormatError, or the error of a read; nothing on the disk is changed */
export async function recoverDirectory(fs: FileSystem, directory: string): Promise<Recovery> {
  const names = await fs.readdir(directory);
  const numbers = names.map(segmentNumber).filter((number) => number !== undefined);
  numbers.sort((a, b) => a - b);
  for (const [i, number] of numbers.entries()) {
    const expected = (numbers[0] ?? 0) + i;
    if (number !== expected) {
      throw new JournalDamagedError(join(directory, segmentName(expected)), 0, 'the segment is missing');
    }
  }
  const recoverer = new Recoverer(fs, directory);
  const lastUsed = await recoverer.findLastUsed(numbers);
  for (const number of numbers) await recoverer.segment(number, number < lastUsed, number === numbers[0]);
  const temporary = names.filter(isTemporaryName).map((name) => join(directory, name));
  return recoverer.finish(temporary);
}

class Recoverer {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #replay = new Replay();
  readonly #segments: RecoveredSegment[] = [];
  readonly #prepared: FoundSegment[] = [];
  #torn: Recovery['torn'];
  /** Groups above the replay's `syncedThrough`. */
  #unproven: { sequence: number; segment: number; position: number }[] = [];
  /** Next offsets in the oldest checkpoint: what lies below is in no segment any more. */
  #base: number[][] = [];
  #buffer = Buffer.alloc(0);

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  /** The number of the last segment that is not all zeros; 0 when there is none. */
  async findLastUsed(numbers: readonly number[]): Promise<number> {
    for (const number of numbers.toReversed()) {
      const bytes = await this.#load(join(this.#directory, segmentName(number)));
      if (usedEnd(bytes, 0) > 0) return number;
    }
    return 0;
  }

  async segment(number: number, laterUsed: boolean, oldest: boolean): Promise<void> {
    const path = join(this.#directory, segmentName(number));
    const buffer = await this.#load(path);
    if (buffer.length < SEGMENT_HEADER_BYTES) {
      throw new JournalDamagedError(path, buffer.length, `the file has ${buffer.length} bytes`);
    }
    const used = usedEnd(buffer, 0);
    const walk =
      used === 0
        ? { ends: 'clean' as const, position: 0, reason: '' }
        : await this.#walk(path, number, buffer);
    const salt = saltOf(buffer);
    const found = classify({
      allZero: used === 0,
      laterUsed,
      baseKnown: walk.position > SEGMENT_HEADER_BYTES || !oldest || number === 1,
      ends: walk.ends,
      proof: walk.ends === 'bad' && provesSynced(buffer, walk.position, salt, this.#replay.sequence + 1),
    });
    const segment = { number, path, bytes: buffer.length };
    switch (found) {
      case 'prepared':
        this.#prepared.push(segment);
        return;
      case 'torn':
        this.#torn = { path, from: walk.position, to: used };
        if (walk.position === 0) {
          this.#prepared.push(segment);
          return;
        }
        break;
      case 'whole':
        break;
      case 'erased':
        throw new JournalDamagedError(path, 0, 'the segment is all zeros, and should not be');
      case 'inconsistent':
        throw new JournalDamagedError(path, walk.position, walk.reason);
      default:
        throw new JournalDamagedError(path, walk.position, `${walk.reason} (${found})`);
    }
    this.#segments.push({
      ...segment,
      salt: salt ?? 0,
      end: walk.position,
      frames: this.#takeFrames(),
    });
  }

  finish(temporary: readonly string[]): Recovery {
    const { channels, partitions, sequence } = this.#replay;
    const oldest = this.#segments[0];
    const last = this.#segments.at(-1);
    for (const [number, offsets] of this.#base.entries()) {
      for (const [index, next] of offsets.entries()) {
        const committed = channels[number]?.partitions[index]?.committed ?? 0;
        if (oldest !== undefined && committed < next) {
          const missing = join(this.#directory, segmentName(oldest.number - 1));
          const name = channels[number]?.name;
          throw new JournalDamagedError(
            missing,
            0,
            `the segment is missing: ${name}/${index} needs offset ${committed}`,
          );
        }
      }
    }
    return {
      segments: this.#segments,
      prepared: this.#prepared,
      temporary,
      torn: this.#torn,
      unprovenFrom:
        this.#unproven.find(({ segment }) => segment === last?.number)?.position ?? last?.end ?? 0,
      partitions,
      channels,
      sequence,
    };
  }

  /** Replays the valid groups from the start. `position` is where they end; 0 when there is no checkpoint. */
  async #walk(
    path: string,
    number: number,
    buffer: Buffer,
  ): Promise<{ ends: 'clean' | 'bad' | 'impossible'; position: number; reason: string }> {
    const header = readSegmentHeader(buffer);
    if (header === undefined) return { ends: 'bad', position: 0, reason: 'the header is not valid' };
    if ('version' in header)
      throw new JournalFormatError(`${path} has version ${header.version} of the format`);
    if (header.number !== number) {
      return { ends: 'impossible', position: 0, reason: `the header says segment ${header.number}` };
    }
    // It had its full size, durably, before it got its name: no crash shortens it, a copy that was cut off is shorter.
    if (header.bytes !== buffer.length) {
      const reason = `the file has ${buffer.length} bytes, its header says ${header.bytes}`;
      return { ends: 'impossible', position: Math.min(buffer.length, header.bytes), reason };
    }
    let position = SEGMENT_HEADER_BYTES;
    let turnEnd = TURN_BYTES;
    for (;;) {
      const first = position === SEGMENT_HEADER_BYTES;
      const group = readGroup(buffer, position, header.salt);
      if (group === undefined) {
        if (first) return { ends: 'bad', position: 0, reason: 'the checkpoint is not valid' };
        const clean = usedEnd(buffer, position) === position;
        return { ends: clean ? 'clean' : 'bad', position, reason: 'no valid group starts here' };
      }
      const fault = this.#replay.group(buffer, position, group, first ? header : undefined);
      if (fault !== undefined) return { ends: 'impossible', position, reason: fault };
      if (first) this.#noteBase(header.reset);
      this.#unproven.push({ sequence: group.sequence, segment: number, position });
      this.#pruneProven();
      position += group.length;
      if (position >= turnEnd) {
        turnEnd = position + TURN_BYTES;
        await new Promise(setImmediate);
      }
    }
  }

  #noteBase(reset: boolean): void {
    if (this.#segments.length > 0 && !reset) return;
    this.#base = this.#replay.channels.map(({ partitions }) => partitions.map(({ next }) => next));
  }

  #pruneProven(): void {
    const proven = this.#unproven.findIndex(({ sequence }) => sequence > this.#replay.syncedThrough);
    if (proven > 0) this.#unproven.splice(0, proven);
  }

  #takeFrames(): RecoveredFrames[] {
    const taken: RecoveredFrames[] = [];
    for (const [channel, { partitions }] of this.#replay.channels.entries()) {
      for (const [partition, replayed] of partitions.entries()) {
        const { frames, next } = replayed;
        if (frames.length === 0) continue;
        const base = frames[1] ?? 0;
        const entries = new Uint32Array((frames.length / 3) * 2);
        for (let i = 0, j = 0; i < frames.length; i += 3) {
          entries[j++] = frames[i] ?? 0;
          entries[j++] = (frames[i + 1] ?? 0) - base;
        }
        taken.push({ channel, partition, base, end: next, entries });
        replayed.frames = [];
      }
    }
    return taken;
  }

  /** The whole file, in a buffer that the next call uses again. */
  async #load(path: string): Promise<Buffer> {
    const fs = this.#fs;
    const fd = await fs.open(path, 'r+');
    try {
      const size = await fs.size(fd);
      if (this.#buffer.length < size) this.#buffer = Buffer.allocUnsafeSlow(size);
      for (let position = 0; position < size; position += READ_BYTES) {
        const length = Math.min(READ_BYTES, size - position);
        const read = await fs.read(fd, this.#buffer, position, length, position);
        if (read !== length)
          throw new JournalDamagedError(path, position + read, 'the file got shorter while it was read');
      }
      return this.#buffer.subarray(0, size);
    } finally {
      await fs.close(fd);
    }
  }
}

function saltOf(buffer: Buffer): number | undefined {
  const header = readSegmentHeader(buffer);
  return header === undefined || 'version' in header ? undefined : header.salt;
}
