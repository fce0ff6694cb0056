/** The batch that gathers for one port; its form is in `wire.ts`. */
import type { Codec } from '../kernel/codec.js';
import { ABANDON, ASK, BYTES, ERROR, REPLY, TELL, TRACED } from './wire.js';

interface Target {
  readonly type: string;
  readonly key: string;
}

/** Fields behind the kind, of items that are not runs. */
const FIELDS: Readonly<Record<number, number>> = {
  [TRACED]: 4,
  [ASK]: 6,
  [REPLY]: 2,
  [ERROR]: 5,
  [ABANDON]: 1,
};
const HEAD_BYTES = 4;
const BYTES_MIN = 4_096;
/** A buffer for byte arrays that grew beyond it is let go. */
const BYTES_KEPT = 262_144;

export class Batch {
  /** Items, each message of a run as one. */
  length = 0;
  readonly #codec: Codec;
  #items: unknown[] = [];
  #bytes = Buffer.allocUnsafeSlow(BYTES_MIN);
  #used = 0;
  /** Where the run at the end says its length, and what it is; none: -1. */
  #runAt = -1;
  #runTo: Target | undefined;
  #runOfBytes = false;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** Bytes of the bodies that are byte arrays. */
  get bytes(): number {
    return this.#used;
  }

  add(...item: unknown[]): void {
    this.#runAt = -1;
    for (const field of item) this.#items.push(field);
    this.length++;
  }

  /** Adds a message; messages in a row to the same target, which is known by its identity, are one run. */
  tell(target: Target, body: unknown): void {
    const ofBytes = body instanceof Uint8Array;
    const items = this.#items;
    if (this.#runAt >= 0 && this.#runTo === target && this.#runOfBytes === ofBytes) {
      (items[this.#runAt] as number)++;
    } else {
      items.push(ofBytes ? BYTES : TELL, target.type, target.key, 1);
      this.#runAt = items.length - 1;
      this.#runTo = target;
      this.#runOfBytes = ofBytes;
    }
    items.push(ofBytes ? this.#keep(body) : body);
    this.length++;
  }

  /** Encodes the batch and begins the next. `refuse` is called for each item with a body that msgpack cannot carry. */
  take(refuse: (item: readonly unknown[], error: unknown) => void): Uint8Array<ArrayBuffer> {
    let packed: Uint8Array;
    try {
      packed = this.#codec.pack(this.#items);
    } catch {
      packed = this.#codec.pack(this.#sendable(refuse));
    }
    const message = Buffer.allocUnsafeSlow(HEAD_BYTES + packed.length + this.#used);
    message.writeUInt32LE(packed.length);
    message.set(packed, HEAD_BYTES);
    message.set(this.#bytes.subarray(0, this.#used), HEAD_BYTES + packed.length);
    this.clear();
    return message;
  }

  clear(): void {
    this.#items = [];
    this.length = 0;
    this.#used = 0;
    this.#runAt = -1;
    this.#runTo = undefined;
    if (this.#bytes.length > BYTES_KEPT) this.#bytes = Buffer.allocUnsafeSlow(BYTES_MIN);
  }

  /** Copies a body that is a byte array. Returns its length. */
  #keep(body: Uint8Array): number {
    const end = this.#used + body.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = larger;
    }
    this.#bytes.set(body, this.#used);
    this.#used = end;
    return body.length;
  }

  #sendable(refuse: (item: readonly unknown[], error: unknown) => void): unknown[] {
    const kept: unknown[] = [];
    for (const item of itemsOf(this.#items)) {
      try {
        this.#codec.pack(item);
        kept.push(...item);
      } catch (error) {
        refuse(item, error);
      }
    }
    return kept;
  }
}

/** The items of a batch, runs of other bodies than byte arrays taken apart. */
function* itemsOf(items: readonly unknown[]): Generator<readonly unknown[]> {
  for (let at = 0; at < items.length; ) {
    const kind = items[at] as number;
    if (kind === TELL) {
      const [type, key, count] = items.slice(at + 1, at + 4) as [string, string, number];
      at += 4;
      for (const end = at + count; at < end; at++) yield [TELL, type, key, 1, items[at]];
    } else {
      const fields = kind === BYTES ? 3 + (items[at + 3] as number) : (FIELDS[kind] as number);
      yield items.slice(at, at + 1 + fields);
      at += 1 + fields;
    }
  }
}

/** What a batch holds: the items, and the byte arrays behind them. */
export function openBatch(
  message: Uint8Array,
  codec: Codec,
): { readonly items: unknown[]; readonly bytesAt: number } {
  const { buffer, byteOffset, length } = message;
  const bytesAt = HEAD_BYTES + new DataView(buffer, byteOffset, length).getUint32(0, true);
  return { items: codec.unpack(message.subarray(HEAD_BYTES, bytesAt)) as unknown[], bytesAt };
}
