/**
 * The bytes of a journal.
 *
 * A journal is a directory: `LOCK`, `IDENTITY` (`identity.ts`), and segments `journal-<16 digits>.seg` with consecutive numbers from 1. A segment is
 * made at its full size, all zeros, before its first use, so that a commit writes data and no metadata. All numbers are
 * little endian; u64 stands for a number below 2^53.
 *
 * ```
 * segment  = segment header (64), group, group, ..., zeros to the end
 * group    = group header (40), record, record, ...        one write; starts at a multiple of 8
 * record   = record header (32), body, zeros to a multiple of 8
 *
 * segment header   0 'TETHERJL'  8 version u32  12 partitions u32  16 segment number u64  24 size of the file u32
 *                 28 salt u32    32 sequence of its first group u64  40 flags u32  44 zeros  60 crc of 0..60
 * group header     0 crc u32  4 magic u32  8 length u32, header included  12 records u32  16 sequence u64
 *                 24 synced through u64  32 salt u32  36 zero
 * record header    0 crc u32, of 4..end, zeros at the end included  4 length u32, header included, without the zeros
 *                  8 type u8  9 zero  10 channel u16  12 partition u32  16 offset u64  24 count u32  28 zero
 *
 * frame            messages of one partition: `count` envelopes from `offset`; body as in runtime/frame.ts
 * commits          body: `count` times { channel u16, partition u16, zero u32, committed offset u64 }
 * channel          gives a number to an actor type; body: its name
 * checkpoint       of one channel; body: `count` = partitions times { next offset u64, committed offset u64 }
 * ```
 *
 * Invariants
 * - **The group is the unit of validity.** Its crc covers its header and the crc of each record, in order; a group is
 *   valid when that and every record's crc fit. A group lies in one segment.
 * - **Sequences** of groups are consecutive, over segments too. The first group of a segment is its checkpoint: all
 *   channels, all offsets. So a segment stands alone, and offsets go on when the segments before it are gone.
 * - **Synced through** is the sequence of the last group known to be on the disk when this one was written. It is what
 *   tells damage from a torn write: a crash may leave any subset of the sectors of what was not yet synced, so behind a
 *   bad group there may stand valid ones; but if one of them says that the bad one had been synced, it was damaged later.
 * - **The salt** is random per segment and stands in each of its groups: bytes that a sender of messages chose cannot
 *   pass for a group.
 * - **Offsets** of a partition have no gap. Committed offsets are advice: the last of them may be forgotten in a crash.
 * - A segment is deleted, oldest first, only when a synced group (or checkpoint) behind it says that all it holds is
 *   committed. Then no segment is missing as long as the committed offsets reach the first checkpoint's next offsets.
 * - Committed offsets alone, with no message to go along, are written at the tail without a sync and *overwritten* by the
 *   next group, which repeats them under the same sequence: no group stands before an unsynced one.
 * - The flag RESET on a segment says: everything before is committed, the number of partitions changed, offsets start at 0.
 *
 * A crash, worked through. Segment 7 holds groups 100 (checkpoint) to 104. Group 104, "synced through 103", is written for
 * 12 partitions, 9,000 bytes, and the power fails during its fdatasync. Nobody was told of it. On the disk are its second
 * and third page, not its first. Recovery walks 100 to 103, finds zeros where group 104 should start, and bytes behind. It
 * looks for a group there that says "synced through 104 or later". There is none: the tail is torn, those bytes are
 * zeroed, and the next group is 104 again. Had a bit of group 102 flipped instead, group 103 would be found behind it,
 * saying "synced through 102": damage, which is reported with its position and left as it is.
 */
import { crc32 } from 'node:zlib';

export const FORMAT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 64;
export const GROUP_HEADER_BYTES = 40;
export const RECORD_HEADER_BYTES = 32;
export const ALIGNMENT = 8;
/** Of the bodies of `commits` and `checkpoint`. */
export const ENTRY_BYTES = 16;
/** Positions in a segment are indexed as u32, and a segment is read whole at recovery. */
export const SEGMENT_BYTES_MAX = 1024 * 1024 * 1024;

export const RECORD = { frame: 1, commits: 2, channel: 3, checkpoint: 4 } as const;
export type RecordType = (typeof RECORD)[keyof typeof RECORD];

const SEGMENT_MAGIC = Buffer.from('TETHERJL', 'latin1');
export const GROUP_MAGIC = 0x9d4a5254;
const FLAG_RESET = 1;
const HIGH = 0x1_0000_0000;

export interface SegmentHeader {
  readonly partitions: number;
  readonly number: number;
  readonly bytes: number;
  readonly salt: number;
  readonly firstSequence: number;
  readonly reset: boolean;
}

export interface GroupHeader {
  readonly length: number;
  readonly records: number;
  readonly sequence: number;
  readonly syncedThrough: number;
  readonly salt: number;
}

export function align(bytes: number): number {
  return (bytes + (ALIGNMENT - 1)) & ~(ALIGNMENT - 1);
}

/** What a record with a body of `bodyBytes` takes in a group. */
export function recordBytes(bodyBytes: number): number {
  return RECORD_HEADER_BYTES + align(bodyBytes);
}

export function writeU64(buffer: Buffer, value: number, position: number): void {
  buffer.writeUInt32LE(value % HIGH, position);
  buffer.writeUInt32LE(Math.floor(value / HIGH), position + 4);
}

export function readU64(buffer: Buffer, position: number): number {
  return buffer.readUInt32LE(position) + buffer.readUInt32LE(position + 4) * HIGH;
}

export function writeSegmentHeader(buffer: Buffer, header: SegmentHeader): void {
  buffer.fill(0, 0, SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(buffer, 0);
  buffer.writeUInt32LE(FORMAT_VERSION, 8);
  buffer.writeUInt32LE(header.partitions, 12);
  writeU64(buffer, header.number, 16);
  buffer.writeUInt32LE(header.bytes, 24);
  buffer.writeUInt32LE(header.salt, 28);
  writeU64(buffer, header.firstSequence, 32);
  buffer.writeUInt32LE(header.reset ? FLAG_RESET : 0, 40);
  buffer.writeUInt32LE(crc32(buffer.subarray(0, 60)), 60);
}

/** The header at the start of `buffer`; its version when that is another one; undefined when it is not valid. */
export function readSegmentHeader(buffer: Buffer): SegmentHeader | { readonly version: number } | undefined {
  if (buffer.length < SEGMENT_HEADER_BYTES || !buffer.subarray(0, 8).equals(SEGMENT_MAGIC)) return undefined;
  if (buffer.readUInt32LE(60) !== crc32(buffer.subarray(0, 60))) return undefined;
  const version = buffer.readUInt32LE(8);
  if (version !== FORMAT_VERSION) return { version };
  return {
    partitions: buffer.readUInt32LE(12),
    number: readU64(buffer, 16),
    bytes: buffer.readUInt32LE(24),
    salt: buffer.readUInt32LE(28),
    firstSequence: readU64(buffer, 32),
    reset: (buffer.readUInt32LE(40) & FLAG_RESET) !== 0,
  };
}

const SEGMENT_NAME = /^journal-(\d{16})\.seg$/;
const TEMPORARY_NAME = /^journal-\d{16}\.tmp$/;

export function segmentName(number: number): string {
  return `journal-${String(number).padStart(16, '0')}.seg`;
}

export function temporaryName(number: number): string {
  return `journal-${String(number).padStart(16, '0')}.tmp`;
}

/** The number of a segment file, undefined for any other file. */
export function segmentNumber(name: string): number | undefined {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function isTemporaryName(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}
