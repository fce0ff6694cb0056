/**
 * Bodies as bytes: msgpack, with actor references among the values. For what waits on the log, crosses to another thread, or is
 * a snapshot.
 *
 * Objects go as records inside one pack, so that many of one shape cost their field names once; nothing is shared between
 * packs, each stands alone.
 */
import { addExtension, Packr } from 'msgpackr';
import type { ActorRef } from '../actor-ref.js';
import { BodyError } from '../errors.js';

type MakeRef = (type: string, key: string) => ActorRef;

/** A reference, as the codec knows one. */
export abstract class AddressBase {
  abstract readonly type: string;
  abstract readonly key: string;
}

/** msgpackr's extensions are those of the process; whose references are made is set for the time of an unpack, which is synchronous. */
let makeRef: MakeRef | undefined;

const EXTENSION = 0x41;
addExtension({
  Class: AddressBase,
  type: EXTENSION,
  write: ({ type, key }: AddressBase) => [type, key],
  read: ([type, key]: [string, string]) => makeRef?.(type, key),
});

const OPTIONS = {
  useRecords: true,
  moreTypes: true,
  copyBuffers: false,
  /** msgpackr would write undefined in place of it. */
  writeFunction() {
    throw new TypeError('it holds a function');
  },
};

export class Codec {
  readonly #makeRef: MakeRef;
  readonly #packr = new Packr(OPTIONS);

  constructor(makeRef: MakeRef) {
    this.#makeRef = makeRef;
  }

  /** @throws BodyError */
  pack(body: unknown): Uint8Array {
    try {
      return this.#packr.pack(body);
    } catch (cause) {
      throw new BodyError(`a body cannot be sent: ${reasonOf(cause)}`, { cause });
    }
  }

  /** @throws BodyError */
  unpack(bytes: Uint8Array): unknown {
    makeRef = this.#makeRef;
    try {
      return this.#packr.unpack(bytes);
    } catch (cause) {
      throw new BodyError(`bytes are no body: ${cause instanceof Error ? cause.message : cause}`, { cause });
    } finally {
      makeRef = undefined;
    }
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof RangeError && /call stack/.test(cause.message))
    return 'it holds itself, or is nested too deep';
  return cause instanceof Error ? cause.message : String(cause);
}
