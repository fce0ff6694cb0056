/**
 * Small byte arrays, side by side in one buffer until it is used up. A buffer for each costs more than what is written into it,
 * and Node's own pool of 8 KiB is used up by a dozen messages.
 */
const POOL_BYTES = 64 * 1024;

export class BytePool {
  /** Write from `position` on, no more than was reserved, then `take`. */
  buffer: Buffer = Buffer.alloc(0);
  position = 0;

  /** Makes room for `bytes` from `position` on. */
  reserve(bytes: number): void {
    if (this.buffer.length - this.position >= bytes) return;
    this.buffer = Buffer.allocUnsafeSlow(Math.max(POOL_BYTES, bytes));
    this.position = 0;
  }

  /** What was written, from `position` to `end`: the taker's own from now on. */
  take(end: number): Uint8Array {
    const start = this.position;
    this.position = end;
    return new Uint8Array(this.buffer.buffer, start, end - start);
  }
}
