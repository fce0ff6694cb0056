/**
 * A refusal that comes before the body has been read, when there may be much of it.
 *
 * The answer goes out at once, but closing the connection while the client still sends makes its kernel throw the answer
 * away (the unread bytes turn the close into a reset). And once uWebSockets.js has ended a response it can no longer be
 * closed, while the upload goes on. So all but the last byte of the answer is sent, with `Connection: close`; what
 * still arrives is thrown away; the last byte follows at the end of the body. A client that sends on beyond
 * `LINGER_BYTES_MAX` or `LINGER_MS_MAX` is cut off.
 *
 * ```
 * discarding --end of the body--> ended
 *     |  `------a limit---------> cut
 *     `---------client left-----> aborted
 * ```
 */

import type { HttpResponse } from 'uWebSockets.js';
import { strict as assert } from 'node:assert';
import { type Answer, writeHead } from './answer.js';

export const LINGER_BYTES_MAX = 1024 * 1024;
export const LINGER_MS_MAX = 2000;

type Mode = 'discarding' | 'ended' | 'cut' | 'aborted';

export class LingeringAnswer {
  readonly #res: HttpResponse;
  readonly #body: Buffer;
  readonly #timer: NodeJS.Timeout;
  #mode: Mode = 'discarding';
  #discardedBytes = 0;

  /** Sends the answer. The caller hands on what happens to the request: `data` and `aborted`. */
  constructor(res: HttpResponse, answer: Answer) {
    this.#res = res;
    this.#body = Buffer.from(answer.body);
    res.cork(() => {
      writeHead(res, answer);
      res.writeHeader('Connection', 'close');
      res.tryEnd(this.#body.subarray(0, -1), this.#body.length);
    });
    this.#timer = setTimeout(() => this.#cut(), LINGER_MS_MAX);
  }

  data(bytes: number, isLast: boolean): void {
    if (this.#mode !== 'discarding') return;
    this.#discardedBytes += bytes;
    if (isLast) this.#end();
    else if (this.#discardedBytes > LINGER_BYTES_MAX) this.#cut();
  }

  aborted(): void {
    if (this.#mode === 'discarding') this.#enter('aborted');
  }

  #end(): void {
    this.#enter('ended');
    this.#res.cork(() => {
      const [, hasResponded] = this.#res.tryEnd(this.#body.subarray(-1), this.#body.length);
      // The client does not even read its answer: nothing to wait for.
      if (!hasResponded) this.#res.close();
    });
  }

  #cut(): void {
    this.#enter('cut');
    this.#res.close();
  }

  #enter(mode: Mode): void {
    assert(this.#mode === 'discarding', `a lingering answer cannot go from ${this.#mode} to ${mode}`);
    this.#mode = mode;
    clearTimeout(this.#timer);
  }
}

/** Refuses a request of which nothing has been read, and takes the request over. */
export function refuseAndLinger(res: HttpResponse, answer: Answer): void {
  const lingering = new LingeringAnswer(res, answer);
  res.onAborted(() => lingering.aborted());
  res.onData((chunk, isLast) => lingering.data(chunk.byteLength, isLast));
}
