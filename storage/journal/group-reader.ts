/**
 * Reads groups and records back, and believes nothing: every length is checked before it is used, every crc computed.
 */
import { crc32 } from 'node:zlib';
import {
  ALIGNMENT,
  align,
  GROUP_HEADER_BYTES,
  GROUP_MAGIC,
  type GroupHeader,
  RECORD_HEADER_BYTES,
  readU64,
} from './format.js';

export interface JournalRecord {
  readonly type: number;
  readonly channel: number;
  readonly partition: number;
  readonly offset: number;
  readonly count: number;
  /** Of the record in the buffer it was read from. */
  readonly position: number;
  /** Of the record, header included, without the zeros at its end. */
  readonly length: number;
}

/** The length of the record at `position` as its header states it; undefined when it cannot be one. */
export function recordLength(buffer: Buffer, position: number, limit: number): number | undefined {
  if (position + RECORD_HEADER_BYTES > limit) return undefined;
  const length = buffer.readUInt32LE(position + 4);
  return length >= RECORD_HEADER_BYTES && position + align(length) <= limit ? length : undefined;
}

/** The record at `position` if it is valid and ends before `limit`. */
export function readRecord(buffer: Buffer, position: number, limit: number): JournalRecord | undefined {
  const length = recordLength(buffer, position, limit);
  if (length === undefined) return undefined;
  const crc = crc32(buffer.subarray(position + 4, position + align(length)));
  if (crc !== buffer.readUInt32LE(position)) return undefined;
  return {
    type: buffer.readUInt8(position + 8),
    channel: buffer.readUInt16LE(position + 10),
    partition: buffer.readUInt32LE(position + 12),
    offset: readU64(buffer, position + 16),
    count: buffer.readUInt32LE(position + 24),
    position,
    length,
  };
}

/**
 * The group at `position` if it is valid: header, every record, and the crc over both.
 * @param salt of the segment, or undefined when it is not known and any will do
 */
export function readGroup(
  buffer: Buffer,
  position: number,
  salt: number | undefined,
): GroupHeader | undefined {
  if (position + GROUP_HEADER_BYTES > buffer.length) return undefined;
  if (buffer.readUInt32LE(position + 4) !== GROUP_MAGIC) return undefined;
  const group: GroupHeader = {
    length: buffer.readUInt32LE(position + 8),
    records: buffer.readUInt32LE(position + 12),
    sequence: readU64(buffer, position + 16),
    syncedThrough: readU64(buffer, position + 24),
    salt: buffer.readUInt32LE(position + 32),
  };
  if (salt !== undefined && group.salt !== salt) return undefined;
  const end = position + group.length;
  if (group.length < GROUP_HEADER_BYTES || group.length % ALIGNMENT !== 0 || end > buffer.length)
    return undefined;
  if (group.records * RECORD_HEADER_BYTES > group.length) return undefined;
  const crcs = Buffer.allocUnsafe(4 * group.records);
  let at = position + GROUP_HEADER_BYTES;
  for (let i = 0; i < group.records; i++) {
    const record = readRecord(buffer, at, end);
    if (record === undefined) return undefined;
    crcs.writeUInt32LE(buffer.readUInt32LE(at), 4 * i);
    at += align(record.length);
  }
  if (at !== end) return undefined;
  const header = crc32(buffer.subarray(position + 4, position + GROUP_HEADER_BYTES));
  return crc32(crcs, header) === buffer.readUInt32LE(position) ? group : undefined;
}

/** The records of a group that `readGroup` found valid. */
export function* groupRecords(buffer: Buffer, position: number): Generator<JournalRecord> {
  const end = position + buffer.readUInt32LE(position + 8);
  let at = position + GROUP_HEADER_BYTES;
  while (at < end) {
    const record = readRecord(buffer, at, end);
    if (record === undefined) throw new Error(`record at ${at} of a valid group is not valid`);
    yield record;
    at += align(record.length);
  }
}

/** The position after the last byte that is not zero, from `start` on; `start` when there is none. */
export function usedEnd(buffer: Buffer, start: number): number {
  let end = buffer.length;
  // 4 KiB at a time against zeros: 64 MiB in a few milliseconds, where byte by byte takes half a second.
  while (end - ZEROS.length >= start && ZEROS.equals(buffer.subarray(end - ZEROS.length, end))) {
    end -= ZEROS.length;
  }
  while (end > start && buffer[end - 1] === 0) end--;
  return end;
}

const ZEROS = Buffer.alloc(4096);

/**
 * Whether a valid group behind `position` proves that group `sequence` had been synced.
 * @param salt of the segment, or undefined when its header is not valid
 */
export function provesSynced(
  buffer: Buffer,
  position: number,
  salt: number | undefined,
  sequence: number,
): boolean {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(GROUP_MAGIC);
  let at = buffer.indexOf(magic, position);
  while (at !== -1) {
    const start = at - 4;
    if (start >= position && start % ALIGNMENT === 0) {
      const group = readGroup(buffer, start, salt);
      if (group !== undefined && group.syncedThrough >= sequence) return true;
    }
    at = buffer.indexOf(magic, at + 1);
  }
  return false;
}
