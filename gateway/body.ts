/**
 * A request body that came in pieces. Most bodies are one piece and never get here.
 *
 * Grows by doubling from what has really arrived, so that a client which announces 64 KiB and sends nothing costs nothing.
 */

const CAPACITY_MIN = 1024;

export class BodyBuffer {
  readonly #bytesMax: number;
  #buffer = Buffer.allocUnsafeSlow(CAPACITY_MIN);
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Copies `chunk` behind what is there. False when the body would be too long; then it holds what it held. */
  add(chunk: ArrayBuffer): boolean {
    const length = this.#length + chunk.byteLength;
    if (length > this.#bytesMax) return false;
    if (length > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(this.#bytesMax, Math.max(length, this.#buffer.length * 2)),
      );
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(new Uint8Array(chunk), this.#length);
    this.#length = length;
    return true;
  }

  /** Bytes of memory that it holds. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** A view, valid until the next `add`. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }
}
