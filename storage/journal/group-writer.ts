/**
 * Builds one group in a buffer that the caller has sized with `recordBytes`. One writer serves all groups, one after
 * another: on the hot path it allocates nothing but when a group has more records than any before.
 */
import { crc32 } from 'node:zlib';
import {
  align,
  ENTRY_BYTES,
  GROUP_HEADER_BYTES,
  GROUP_MAGIC,
  RECORD,
  RECORD_HEADER_BYTES,
  type RecordType,
  writeU64,
} from './format.js';

const EMPTY = Buffer.alloc(0);

export class GroupWriter {
  #buffer: Buffer = EMPTY;
  #start = 0;
  #recordStart = 0;
  #records = 0;
  /** The crc of each record, for the crc of the group: cheaper than going over the bodies twice. */
  #crcs: Buffer = Buffer.alloc(4 * 64);

  /** Starts a group at `start` of `buffer`. */
  begin(buffer: Buffer, start: number): void {
    this.#buffer = buffer;
    this.#start = start;
    this.#recordStart = start + GROUP_HEADER_BYTES;
    this.#records = 0;
  }

  /** Starts a record. Returns the position where its body goes. */
  record(type: RecordType, channel: number, partition: number, offset: number, count: number): number {
    const buffer = this.#buffer;
    const at = this.#recordStart;
    buffer.writeUInt32LE(type, at + 8);
    buffer.writeUInt16LE(channel, at + 10);
    buffer.writeUInt32LE(partition, at + 12);
    writeU64(buffer, offset, at + 16);
    buffer.writeUInt32LE(count, at + 24);
    buffer.writeUInt32LE(0, at + 28);
    return at + RECORD_HEADER_BYTES;
  }

  /** Ends the record, whose body ends at `position`. */
  endRecord(position: number): void {
    const buffer = this.#buffer;
    const at = this.#recordStart;
    const end = at + align(position - at);
    for (let i = position; i < end; i++) buffer[i] = 0;
    buffer.writeUInt32LE(position - at, at + 4);
    const crc = crc32(buffer.subarray(at + 4, end));
    buffer.writeUInt32LE(crc, at);
    if (this.#crcs.length < 4 * (this.#records + 1)) {
      this.#crcs = Buffer.concat([this.#crcs, Buffer.alloc(this.#crcs.length)]);
    }
    this.#crcs.writeUInt32LE(crc, 4 * this.#records);
    this.#records++;
    this.#recordStart = end;
  }

  /** A `commits` record; `partitions` are read, not kept. */
  commits(partitions: Iterable<{ channel: number; index: number; committed: number }>, count: number): void {
    const buffer = this.#buffer;
    let position = this.record(RECORD.commits, 0, 0, 0, count);
    for (const { channel, index, committed } of partitions) {
      buffer.writeUInt16LE(channel, position);
      buffer.writeUInt16LE(index, position + 2);
      buffer.writeUInt32LE(0, position + 4);
      writeU64(buffer, committed, position + 8);
      position += ENTRY_BYTES;
    }
    this.endRecord(position);
  }

  channel(channel: number, name: string): void {
    const body = this.record(RECORD.channel, channel, 0, 0, 0);
    this.endRecord(body + this.#buffer.write(name, body, 'utf8'));
  }

  checkpoint(channel: number, partitions: readonly { next: number; committed: number }[]): void {
    let position = this.record(RECORD.checkpoint, channel, 0, 0, partitions.length);
    for (const { next, committed } of partitions) {
      writeU64(this.#buffer, next, position);
      writeU64(this.#buffer, committed, position + 8);
      position += ENTRY_BYTES;
    }
    this.endRecord(position);
  }

  /** Writes the group's header. Returns the position after the group. */
  end(sequence: number, syncedThrough: number, salt: number): number {
    const buffer = this.#buffer;
    const at = this.#start;
    buffer.writeUInt32LE(GROUP_MAGIC, at + 4);
    buffer.writeUInt32LE(this.#recordStart - at, at + 8);
    buffer.writeUInt32LE(this.#records, at + 12);
    writeU64(buffer, sequence, at + 16);
    writeU64(buffer, syncedThrough, at + 24);
    buffer.writeUInt32LE(salt, at + 32);
    buffer.writeUInt32LE(0, at + 36);
    const header = crc32(buffer.subarray(at + 4, at + GROUP_HEADER_BYTES));
    buffer.writeUInt32LE(crc32(this.#crcs.subarray(0, 4 * this.#records), header), at);
    this.#buffer = EMPTY;
    return this.#recordStart;
  }
}
