/**
 * The bytes of a segment: many payloads in one object, each found by one ranged read. All numbers are little-endian, without a sign.
 *
 * ```
 * segment  = header, block, ..., trailer
 * header     0 'TETHARCH'  8 version u32 = 1  12 crc u32 of 0..12
 * block      0 crc u32 of 4..end  4 length u32, head included  8 raw length u32  12 crc u32 of the raw bytes  16 records u32
 *           20 the raw bytes, compressed (deflate, RFC 1951)
 * raw bytes = record, ...
 * record     0 id of the event, 16 bytes  16 length u32  20 the payload
 * trailer    0 'TETHREND'  8 blocks u32  12 records u32  16 SHA-256 of all before it
 * ```
 *
 * - **A block is the unit of reading.** It is compressed by itself, so that one payload costs one range of some kilobytes; a CRC says whether what
 *   came is what was put, another whether it was unpacked to what was packed.
 * - **A segment says what is in it.** A record has its event's id: who has the object has the payloads, without Postgres.
 * - A record is never divided. One that is larger than a block is meant to be is a block by itself.
 *
 * What is written is read back here before anybody sees it (`sealBlock`): bytes that do not come back are never put anywhere.
 */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { ArchiveDamagedError } from './errors.js';

/** Of what is written here; `archive_segments` has it of each segment. */
export const FORMAT_VERSION = 1;
const MAGIC = 'TETHARCH';
const END_MAGIC = 'TETHREND';
const HEADER_BYTES = 16;
const BLOCK_HEAD_BYTES = 20;
export const RECORD_HEAD_BYTES = 20;
const SHA256_BYTES = 32;
/** Without the digest. */
const TRAILER_HEAD_BYTES = 16;
export const TRAILER_BYTES = TRAILER_HEAD_BYTES + SHA256_BYTES;
/** What a block may unpack to: a damaged length must not take all memory. */
const RAW_BYTES_MAX = 16 * 1024 * 1024;
/** Level 9 was measured: nothing less of EMP's bodies, 7 % of JSON, at a third of the speed. */
const LEVEL = 6;

export function segmentHeader(): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 0, 'latin1');
  header.writeUInt32LE(FORMAT_VERSION, 8);
  header.writeUInt32LE(crc32(header.subarray(0, 12)), 12);
  return header;
}

/** All of the trailer but its digest, which is of everything up to here. */
export function trailerHead(blocks: number, records: number): Buffer {
  const head = Buffer.alloc(TRAILER_HEAD_BYTES);
  head.write(END_MAGIC, 0, 'latin1');
  head.writeUInt32LE(blocks, 8);
  head.writeUInt32LE(records, 12);
  return head;
}

export function recordHead(id: string, payloadLength: number): Buffer {
  const head = Buffer.alloc(RECORD_HEAD_BYTES);
  head.write(id.replaceAll('-', ''), 0, 'hex');
  head.writeUInt32LE(payloadLength, 16);
  return head;
}

/** What a block of so many raw bytes takes at most, however little there is to compress. */
export function blockBytesMax(rawBytes: number): number {
  return BLOCK_HEAD_BYTES + rawBytes + (rawBytes >> 8) + 64;
}

/** @throws ArchiveDamagedError when what was compressed does not come back: nothing has been written then */
export function sealBlock(raw: Buffer, records: number): Buffer {
  const packed = deflateRawSync(raw, { level: LEVEL });
  const block = Buffer.concat([Buffer.alloc(BLOCK_HEAD_BYTES), packed]);
  block.writeUInt32LE(block.length, 4);
  block.writeUInt32LE(raw.length, 8);
  block.writeUInt32LE(crc32(raw), 12);
  block.writeUInt32LE(records, 16);
  block.writeUInt32LE(crc32(block.subarray(4)), 0);
  if (!openBlock(block).equals(raw)) throw new ArchiveDamagedError('a block does not come back as it was');
  return block;
}

/** The raw bytes of one whole block. @throws ArchiveDamagedError */
export function openBlock(block: Buffer): Buffer {
  if (block.length < BLOCK_HEAD_BYTES || block.readUInt32LE(4) !== block.length) {
    throw new ArchiveDamagedError(`${block.length} bytes of a segment are no block`);
  }
  if (block.readUInt32LE(0) !== crc32(block.subarray(4)))
    throw new ArchiveDamagedError('a block of a segment has a wrong checksum');
  const rawLength = block.readUInt32LE(8);
  if (rawLength > RAW_BYTES_MAX) throw new ArchiveDamagedError(`a block claims ${rawLength} bytes`);
  const raw = unpack(block.subarray(BLOCK_HEAD_BYTES), rawLength);
  if (raw.length !== rawLength || crc32(raw) !== block.readUInt32LE(12))
    throw new ArchiveDamagedError('a block of a segment does not unpack to what was packed');
  return raw;
}

function unpack(packed: Buffer, rawLength: number): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(rawLength, 1) });
  } catch (error) {
    throw new ArchiveDamagedError('a block of a segment cannot be unpacked', { cause: error });
  }
}

/**
 * The payload of an event in the raw bytes of its block. A view: they stay in memory with it.
 * @param at of the payload, behind the record's head
 * @throws ArchiveDamagedError when another event's stands there
 */
export function payloadIn(raw: Buffer, id: string, at: number, length: number): Buffer {
  const begin = at - RECORD_HEAD_BYTES;
  const isThere = begin >= 0 && at + length <= raw.length;
  if (!isThere || !raw.subarray(begin, at).equals(recordHead(id, length)))
    throw new ArchiveDamagedError('a block of a segment has another payload where this one should be');
  return raw.subarray(at, at + length);
}
