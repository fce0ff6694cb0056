/** The frames of one partition that are in memory, oldest first, with no gap between them. */
import type { Frame } from '../../runtime/message-log.js';
import type { TailChunk } from './memory-tail.js';

/** Dead slots at the front before the arrays are cut. */
const SLACK = 32;

export class FrameQueue {
  #frames: (Frame | undefined)[] = [];
  #chunks: (TailChunk | undefined)[] = [];
  #head = 0;

  get first(): Frame | undefined {
    return this.#frames[this.#head];
  }

  push(frame: Frame, chunk: TailChunk): void {
    this.#frames.push(frame);
    this.#chunks.push(chunk);
  }

  /** Removes the oldest frame. Returns the chunk that it lies in, undefined when there is none. */
  shift(): TailChunk | undefined {
    const chunk = this.#chunks[this.#head];
    if (chunk === undefined) return undefined;
    this.#frames[this.#head] = undefined;
    this.#chunks[this.#head] = undefined;
    this.#head++;
    if (this.#head >= SLACK && 2 * this.#head >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
    return chunk;
  }

  /** The frames from the one that holds `offset`, which is in here: at least one, as many as fit in `bytesMax`. */
  from(offset: number, bytesMax: number): readonly Frame[] {
    let low = this.#head;
    let high = this.#frames.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#frames[middle]?.offset ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const found: Frame[] = [];
    let bytes = 0;
    for (let i = low; i < this.#frames.length; i++) {
      const frame = this.#frames[i];
      if (frame === undefined) break;
      bytes += frame.body.length;
      if (bytes > bytesMax && found.length > 0) break;
      found.push(frame);
    }
    return found;
  }
}
