/** Where an archived payload stands: the columns of `events` that say so. */
export interface PayloadPlace {
  readonly segment: string;
  /** Of the segment's object: where the block with the payload begins, and how long it is. */
  readonly blockAt: number;
  readonly blockLength: number;
  /** The same of the payload in the raw bytes of the block. */
  readonly payloadAt: number;
  readonly payloadLength: number;
}

/** For a list of columns of `events`. */
export const PLACE_COLUMNS = 'segment, block_at, block_length, payload_at, payload_length';

export interface PlaceRow {
  readonly segment: string | null;
  readonly block_at: number | null;
  readonly block_length: number | null;
  readonly payload_at: number | null;
  readonly payload_length: number | null;
}

/** Undefined when the payload is not archived. */
export function placeOf(row: PlaceRow): PayloadPlace | undefined {
  const { segment, block_at, block_length, payload_at, payload_length } = row;
  if (segment === null || block_at === null || block_length === null) return undefined;
  if (payload_at === null || payload_length === null) return undefined;
  return {
    segment,
    blockAt: block_at,
    blockLength: block_length,
    payloadAt: payload_at,
    payloadLength: payload_length,
  };
}
