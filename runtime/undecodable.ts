/**
 * Names for messages whose envelope cannot be decoded: a UUID of version 8, so that the dead letter
 * of one never takes the place of another's, and a replay finds the way back.
 *
 * | bits | holds                                                                                      |
 * |------|--------------------------------------------------------------------------------------------|
 * | 32   | CRC-32 of the actor type, a zero and the bytes: places recur, in another log or actor type |
 * | 16   | zero                                                                                       |
 * | 4    | version, 8                                                                                 |
 * | 12   | zero                                                                                       |
 * | 2    | variant                                                                                    |
 * | 14   | partition                                                                                  |
 * | 48   | offset                                                                                     |
 */
import { crc32 } from 'node:zlib';

const MIDDLE = '-0000-8000-';
/** The variant's bits; partitions are below 2^14. */
const VARIANT = 0x8000;
const HASH_DIGITS = 8;
const PARTITION_START = HASH_DIGITS + MIDDLE.length;
const OFFSET_DIGITS = 12;

export function undecodableId(
  place: { readonly actor: string; readonly partition: number; readonly offset: number },
  raw: Uint8Array,
): string {
  const hash = crc32(raw, crc32(`${place.actor}\0`));
  const digits = place.offset.toString(16).padStart(OFFSET_DIGITS, '0').slice(-OFFSET_DIGITS);
  return `${hash.toString(16).padStart(HASH_DIGITS, '0')}${MIDDLE}${(VARIANT | place.partition).toString(16)}-${digits}`;
}

/** The partition in an id of `undecodableId`; undefined of any other id. */
export function undecodablePartition(id: string): number | undefined {
  if (!id.startsWith(MIDDLE, HASH_DIGITS)) return undefined;
  return Number.parseInt(id.slice(PARTITION_START, PARTITION_START + 4), 16) & ~VARIANT;
}

/** The partition and the offset in an id of `undecodableId`, as a text that sorts by them; undefined of any other id. */
export function undecodablePlace(id: string): string | undefined {
  return id.startsWith(MIDDLE, HASH_DIGITS) ? id.slice(PARTITION_START) : undefined;
}
