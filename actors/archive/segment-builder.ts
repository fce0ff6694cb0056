/**
 * Puts payloads together to one segment, in memory, until it is full: compressed blocks of at most 8 MiB in all, which is one PUT.
 *
 * ```
 * open --add, until it does not fit--> open --finish--> finished
 * ```
 */
import { createHash } from 'node:crypto';
import { PART_BYTES } from '../../storage/objects/object-store.js';
import {
  blockBytesMax,
  RECORD_HEAD_BYTES,
  recordHead,
  sealBlock,
  segmentHeader,
  TRAILER_BYTES,
  trailerHead,
} from './format.js';
import type { PayloadPlace } from './place.js';

/** Where a payload stands in its segment, whichever that is. */
type PlaceInSegment = Omit<PayloadPlace, 'segment'>;

export interface Segment {
  /** The object. */
  readonly bytes: Buffer;
  readonly sha256: Buffer;
  /** Of each payload, in the order of adding. */
  readonly places: readonly PlaceInSegment[];
  readonly payloadBytes: number;
}

export interface SegmentLimits {
  readonly eventsMax: number;
  /** Of payloads. */
  readonly payloadBytesMax: number;
  /** Raw, of a block: smaller ones compress worse, larger ones are more to fetch for one payload. */
  readonly blockBytes: number;
}

/** What a payload may have to be archived; larger ones stay in Postgres. Far above what the gateway takes. */
export const PAYLOAD_BYTES_MAX = 1024 * 1024;

export class SegmentBuilder {
  readonly #limits: SegmentLimits;
  /** Header and blocks. */
  readonly #parts: Buffer[] = [segmentHeader()];
  readonly #places: PlaceInSegment[] = [];
  #bytes = this.#parts[0]?.length ?? 0;
  #payloadBytes = 0;
  #blocks = 0;
  /** The block that is not sealed yet. */
  #raw: Buffer[] = [];
  #rawBytes = 0;
  #pending: { readonly payloadAt: number; readonly payloadLength: number }[] = [];
  #mode: 'open' | 'finished' = 'open';

  constructor(limits: SegmentLimits) {
    this.#limits = limits;
  }

  /** False: the segment is full, and nothing was added. @throws RangeError when it has more than `PAYLOAD_BYTES_MAX` */
  add(id: string, payload: Uint8Array): boolean {
    if (this.#mode !== 'open') throw new Error('a segment that is finished takes nothing more');
    if (payload.byteLength > PAYLOAD_BYTES_MAX)
      throw new RangeError(`${payload.byteLength} bytes are no payload`);
    const record = RECORD_HEAD_BYTES + payload.byteLength;
    if (!this.#hasRoomFor(payload.byteLength, record)) return false;
    if (this.#rawBytes > 0 && this.#rawBytes + record > this.#limits.blockBytes) this.#seal();
    this.#pending.push({
      payloadAt: this.#rawBytes + RECORD_HEAD_BYTES,
      payloadLength: payload.byteLength,
    });
    this.#raw.push(recordHead(id, payload.byteLength), Buffer.from(payload));
    this.#rawBytes += record;
    this.#payloadBytes += payload.byteLength;
    return true;
  }

  /** @returns undefined when nothing was added */
  finish(): Segment | undefined {
    if (this.#mode !== 'open') throw new Error('a segment is finished once');
    this.#mode = 'finished';
    if (this.#rawBytes > 0) this.#seal();
    if (this.#blocks === 0) return undefined;
    this.#parts.push(trailerHead(this.#blocks, this.#places.length));
    const hash = createHash('sha256');
    for (const part of this.#parts) hash.update(part);
    const sha256 = hash.digest();
    const bytes = Buffer.concat([...this.#parts, sha256]);
    return { bytes, sha256, places: this.#places, payloadBytes: this.#payloadBytes };
  }

  #hasRoomFor(bytes: number, record: number): boolean {
    const { eventsMax, payloadBytesMax } = this.#limits;
    const added = this.#places.length + this.#pending.length;
    if (added === 0) return true;
    if (added >= eventsMax || this.#payloadBytes + bytes > payloadBytesMax) return false;
    // The block that is open, and one that may have to be begun for this one.
    const open = blockBytesMax(this.#rawBytes) + blockBytesMax(record);
    return this.#bytes + open + TRAILER_BYTES <= PART_BYTES;
  }

  #seal(): void {
    const block = sealBlock(Buffer.concat(this.#raw, this.#rawBytes), this.#pending.length);
    const at = { blockAt: this.#bytes, blockLength: block.length };
    for (const place of this.#pending) this.#places.push({ ...at, ...place });
    this.#parts.push(block);
    this.#bytes += block.length;
    this.#blocks++;
    this.#raw = [];
    this.#rawBytes = 0;
    this.#pending = [];
  }
}
