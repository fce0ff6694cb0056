/**
 * Names for messages whose envelope cannot be decoded (one of a later version, say): a UUID of version 8 made of their place
 * on the log, so that the dead letter of one never takes the place of another's, and a replay finds the way back.
 */
const PREFIX = '00000000-0000-8000-';
/** The variant's bits; partitions are below 2^14. */
const VARIANT = 0x8000;
const OFFSET_DIGITS = 12;

export function undecodableId(partition: number, offset: number): string {
  const place = (VARIANT | partition).toString(16);
  return `${PREFIX}${place}-${offset.toString(16).padStart(OFFSET_DIGITS, '0').slice(-OFFSET_DIGITS)}`;
}

/** The partition in an id of `undecodableId`; undefined of any other id. */
export function undecodablePartition(id: string): number | undefined {
  if (!id.startsWith(PREFIX)) return undefined;
  return Number.parseInt(id.slice(PREFIX.length, PREFIX.length + 4), 16) & ~VARIANT;
}
