/** Bytes in memory as a source, given in chunks of any sizes. */
import { Readable } from 'node:stream';
import type { ByteSource } from '../table-file.js';

interface MemorySource extends ByteSource {
  /** Bytes that were taken so far. */
  readonly taken: number;
  /** Streams that are neither at their end nor destroyed. */
  readonly open: number;
}

/** `sizes` of chunks, in turn, from each start anew. */
export function memorySource(bytes: Buffer, sizes: readonly number[] = [64 * 1024]): MemorySource {
  const state = { taken: 0 };
  const streams: Readable[] = [];
  async function* chunks(start: number, end: number): AsyncGenerator<Buffer> {
    let at = start;
    for (let turn = 0; at < end; turn++) {
      const next = Math.min(end, at + (sizes[turn % sizes.length] ?? 1));
      state.taken += next - at;
      // A copy: who keeps a chunk longer than it may must not be saved by its memory staying as it was.
      yield Buffer.from(bytes.subarray(at, next));
      at = next;
    }
  }
  return {
    bytes: bytes.length,
    get taken() {
      return state.taken;
    },
    get open() {
      return streams.filter(({ destroyed }) => !destroyed).length;
    },
    async read(start, end = bytes.length) {
      // In object mode a chunk comes as it was given; else the stream joins those that wait.
      const stream = Readable.from(chunks(start, end), { highWaterMark: 1 });
      streams.push(stream);
      return stream;
    },
  };
}
