/**
 * A part of the source in memory, of which the front is taken and the end grows: no larger than the longest record and a chunk need.
 *
 * Bytes lie at an even offset, so that 16-bit units can be looked at where they are.
 */
import type { Readable } from 'node:stream';
import { SourceEndedError } from './errors.js';
import type { ByteSource } from './table-file.js';

/** A source in memory may give all of its bytes at once. */
const STEP_BYTES = 64 * 1024;

export class ByteWindow {
  #buffer: Buffer;
  #length = 0;

  constructor(bytes: number) {
    this.#buffer = Buffer.from(new ArrayBuffer(bytes));
  }

  /** Valid until the next `add` or `take`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  add(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.from(new ArrayBuffer(Math.max(needed, this.#buffer.length * 2)));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = needed;
  }

  /** Lets go of the first `bytes`. */
  take(bytes: number): void {
    this.#buffer.copyWithin(0, bytes, this.#length);
    this.#length -= bytes;
  }
}

/** The source's bytes from `start` to its end in chunks of at most 64 KiB. @throws SourceEndedError, and what the source throws */
export async function* readChunks(source: ByteSource, start: number): AsyncGenerator<Uint8Array> {
  if (start >= source.bytes) return;
  const stream: Readable = await source.read(start, source.bytes);
  let position = start;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    for (let at = 0; at < chunk.length; at += STEP_BYTES) yield chunk.subarray(at, at + STEP_BYTES);
    position += chunk.length;
  }
  if (position < source.bytes) {
    throw new SourceEndedError(`the object has ${source.bytes} bytes and ended at ${position}`);
  }
}
