/**
 * The body of a frame: envelopes one after another, each behind its length (uint32, little endian).
 *
 * The same form stands in the journal, in memory and in what is transferred to a worker thread, so that a message is
 * copied between them and never encoded again.
 */

/** Bytes that the form adds to each envelope. */
export const FRAME_ITEM_OVERHEAD = 4;

/** Writes one envelope at `position` of `target`. Returns the position after it. */
export function writeFrameItem(target: Buffer, position: number, envelope: Uint8Array): number {
  target.writeUInt32LE(envelope.length, position);
  target.set(envelope, position + FRAME_ITEM_OVERHEAD);
  return position + FRAME_ITEM_OVERHEAD + envelope.length;
}

/**
 * The envelopes in `body`, as views of it, in order.
 * @throws RangeError when a length runs over the end: the body was checked before, so this is a programmer's error
 */
export function* frameItems(body: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let position = 0;
  while (position < body.length) {
    const length = view.getUint32(position, true);
    const start = position + FRAME_ITEM_OVERHEAD;
    if (start + length > body.length) throw new RangeError(`frame item at ${position} runs over the end`);
    yield body.subarray(start, start + length);
    position = start + length;
  }
}
