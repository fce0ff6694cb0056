/**
 * The body of an answer that comes bit by bit, and never faster than its reader takes it.
 *
 * ```
 * open --the socket takes no more--> full --it does again--> open
 *   |                                 |
 *   +--end, or the last byte----------+--> ended
 *   +--fail, STALL_MS_MAX-------------+--> failed: the connection is closed
 *   `--client left--------------------+--> gone
 * ```
 * - With its length announced, what the socket does not take stays here, at most one chunk. Without it (chunked), uWebSockets.js keeps it,
 *   at most one chunk too, as nothing is written while it is full.
 * - A body that fails never looks whole: its connection is closed before the announced length, or before the last chunk.
 * - A reader that takes so little that there is no room for `STALL_MS_MAX` loses the connection. uWebSockets.js would end it after ten seconds,
 *   also of one that reads steadily and slowly: the kernel tells of room when a third of its buffer is free, and of 4 MiB that takes a line of
 *   20 KB/s a minute. So every `TOUCH_MS` the rest is tried again, which sets its clock back. A chunked body has no rest to try, and
 *   its ten seconds stay. (`pause` and `resume` would set the clock back too, and make it forget that it waits for room.)
 *
 * uWebSockets.js drains what it keeps only when something is written, or by itself as long as there is no handler for
 * writable; with a handler it must write, so `onRoom` should, and `end` does.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { type Answer, writeHead } from './answer.js';

export const STALL_MS_MAX = 120_000;
/** Well below the ten seconds of uWebSockets.js, whose clock ticks every four. */
const TOUCH_MS = 4_000;

type Mode = 'open' | 'full' | 'ended' | 'failed' | 'gone';

export class ResponseStream {
  readonly #res: HttpResponse;
  readonly #bytes: number | undefined;
  #mode: Mode = 'open';
  /** Of a body of known length: what the socket has not taken, and where in the body it begins. */
  #rest: { readonly chunk: Uint8Array; readonly offset: number } | undefined;
  #touching: NodeJS.Timeout | undefined;
  /** Since there was room, or a sign of it. */
  #fullMs = 0;
  /** Called when there is room again, and when there never will be: look at `isOpen`. */
  onRoom: () => void = () => {};

  /** Sends the head. `bytes`: the length to announce, above 0; without it the body is chunked. */
  constructor(res: HttpResponse, head: Answer, bytes?: number) {
    this.#res = res;
    this.#bytes = bytes;
    res.onWritable((offset) => this.#writable(offset));
    res.cork(() => writeHead(res, head));
  }

  /** Whether it can be written to, now or when there is room. */
  get isOpen(): boolean {
    return this.#mode === 'open' || this.#mode === 'full';
  }

  get isFull(): boolean {
    return this.#mode === 'full';
  }

  /** Only while it is open and not full. `chunk` is not changed until there is room. False: no room before `onRoom`. */
  write(chunk: Uint8Array): boolean {
    if (this.#mode !== 'open') throw new TypeError(`a write to a stream that is ${this.#mode}`);
    if (chunk.byteLength === 0) return true;
    let taken = false;
    this.#res.cork(() => {
      taken = this.#bytes === undefined ? this.#res.write(chunk) : this.#send(chunk, this.#bytes);
    });
    if (!taken && this.#mode === 'open') this.#enterFull();
    return this.#mode === 'open';
  }

  /** After the last chunk. A body of known length ends by itself, and one that is too short has failed. */
  end(): void {
    if (!this.isOpen) return;
    if (this.#bytes !== undefined) {
      if (this.#mode === 'open') this.fail();
      return;
    }
    this.#leave('ended');
    this.#res.cork(() => this.#res.end());
  }

  /** What has gone out is not all, and the client is to see that. */
  fail(): void {
    if (!this.isOpen) return;
    this.#leave('failed');
    this.#res.close();
    this.onRoom();
  }

  /** From whoever listens for the client's leaving. */
  aborted(): void {
    if (!this.isOpen) return;
    this.#leave('gone');
    this.onRoom();
  }

  #send(chunk: Uint8Array, bytes: number): boolean {
    const offset = this.#res.getWriteOffset();
    const [taken, ended] = this.#res.tryEnd(chunk, bytes);
    if (ended) this.#leave('ended');
    else if (!taken) this.#rest = { chunk, offset };
    return taken;
  }

  /** False: it does not take all of the rest yet. */
  #writable(offset: number): boolean {
    if (this.#mode !== 'full') return true;
    this.#fullMs = 0;
    return this.#goOn(offset);
  }

  /** Sends what is left of the chunk, from where the body stands; true when there is room, or all is out. */
  #goOn(offset: number): boolean {
    if (this.#rest !== undefined && this.#bytes !== undefined) {
      const { chunk, offset: start } = this.#rest;
      const [taken, ended] = this.#res.tryEnd(chunk.subarray(offset - start), this.#bytes);
      if (!taken && !ended) return false;
      this.#rest = undefined;
      if (ended) {
        this.#leave('ended');
        this.onRoom();
        return true;
      }
    }
    clearInterval(this.#touching);
    this.#mode = 'open';
    this.onRoom();
    return true;
  }

  #enterFull(): void {
    this.#mode = 'full';
    this.#fullMs = 0;
    this.#touching = setInterval(() => this.#touch(), TOUCH_MS);
  }

  #touch(): void {
    this.#fullMs += TOUCH_MS;
    if (this.#fullMs >= STALL_MS_MAX) {
      this.fail();
    } else if (this.#rest !== undefined) {
      this.#res.cork(() => {
        const offset = this.#res.getWriteOffset();
        if (!this.#goOn(offset) && this.#res.getWriteOffset() > offset) this.#fullMs = 0;
      });
    }
  }

  #leave(mode: 'ended' | 'failed' | 'gone'): void {
    this.#mode = mode;
    this.#rest = undefined;
    clearInterval(this.#touching);
  }
}

/**
 * Writes all of `chunks`, one when there is room for it, and ends. Resolves when the body is out or the client has left. When `chunks`
 * throws, the connection is closed and the error thrown.
 *
 * @param abandon called when the client leaves: a source that is slow has a chunk to wait for otherwise
 */
export async function pump(
  stream: ResponseStream,
  chunks: AsyncIterable<Uint8Array>,
  abandon: () => void = () => {},
): Promise<void> {
  let wake = () => {};
  stream.onRoom = () => {
    if (!stream.isOpen) abandon();
    wake();
  };
  try {
    for await (const chunk of chunks) {
      if (!stream.isOpen) return;
      if (!stream.write(chunk) && stream.isFull) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (!stream.isOpen) return;
    }
  } catch (error) {
    // An abandoned source may say so.
    if (!stream.isOpen) return;
    stream.fail();
    throw error;
  }
  stream.end();
}
