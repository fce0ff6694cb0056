/**
 * A refusal that comes before the body has been read, when there may be much of it.
 *
 * The answer goes out whole before the body is there, with `Connection: close`: a client that waits for it before it sends
 * on, or never sends the rest, has it. But closing the connection while the client still sends makes its kernel reset it,
 * which may throw the answer away unread. So what still arrives is read and thrown away, `LINGER_BYTES_MAX` at most; beyond
 * that nothing is read any more, which stops the client, and it has until `LINGER_MS_MAX` to read the answer. A client that
 * has sent all of its body is closed at once.
 *
 * ```
 * undecided --next turn--> discarding --LINGER_BYTES_MAX--> paused
 *     | the body is             | its end, LINGER_MS_MAX,      |
 *     | there already           | the client left              |
 *     `-------------------------+------------------------------+--> closed
 * ```
 *
 * uWebSockets.js lets go of a response that it knows to be complete, and then nothing closes the connection before its own
 * idle timeout of ten seconds, which an upload keeps putting off. So while the body is missing it must not know: the answer's
 * body goes out within the last header, and as far as uWebSockets.js is concerned the response is still at its head. It ends
 * that header, as each, with a line break, which thereby is the body's last two bytes (white space, in JSON).
 */

import type { HttpResponse } from 'uWebSockets.js';
import { type Answer, send, writeHead } from './answer.js';

export const LINGER_BYTES_MAX = 1024 * 1024;
export const LINGER_MS_MAX = 2000;

const LINE_BREAK = '\r\n';

type Mode = 'undecided' | 'discarding' | 'paused' | 'closed';

export class LingeringAnswer {
  readonly #res: HttpResponse;
  readonly #answer: Answer;
  /** Never more than one thing waits for the next turn: the answer ahead of the body, later the close. */
  #nextTurn: NodeJS.Immediate;
  readonly #timer: NodeJS.Timeout;
  #mode: Mode = 'undecided';
  #discardedBytes = 0;

  /** The caller hands on what happens to the request: `data` and `aborted`. */
  constructor(res: HttpResponse, answer: Answer) {
    this.#res = res;
    this.#answer = answer;
    this.#nextTurn = setImmediate(() => this.#sendAhead());
    this.#timer = setTimeout(() => this.#res.close(), LINGER_MS_MAX);
  }

  data(bytes: number, isLast: boolean): void {
    this.#discardedBytes += bytes;
    if (isLast) {
      this.#bodyEnded();
    } else if (this.#discardedBytes > LINGER_BYTES_MAX && this.#mode === 'discarding') {
      this.#mode = 'paused';
      this.#res.pause();
    }
  }

  aborted(): void {
    this.#enterClosed();
  }

  #sendAhead(): void {
    this.#mode = 'discarding';
    const res = this.#res;
    const { body } = this.#answer;
    const length = Buffer.byteLength(body) + LINE_BREAK.length;
    res.cork(() => {
      writeHead(res, this.#answer);
      res.writeHeader('Connection', 'close');
      res.writeHeader('Date', new Date().toUTCString());
      res.writeHeader('Content-Length', `${length}${LINE_BREAK}${LINE_BREAK}${body}`);
    });
  }

  #bodyEnded(): void {
    if (this.#mode === 'undecided') {
      this.#enterClosed();
      send(this.#res, this.#answer, { close: true });
    } else if (this.#mode !== 'closed') {
      // Not here, in the callback for data: uWebSockets.js goes on with a request that follows in the same bytes, in what a close
      // has freed, and the process ends.
      this.#nextTurn = setImmediate(() => this.#res.close());
    }
  }

  /** After it `res` is not touched: uWebSockets.js reports a `close` by `aborted`, like the client's leaving. */
  #enterClosed(): void {
    this.#mode = 'closed';
    clearImmediate(this.#nextTurn);
    clearTimeout(this.#timer);
  }
}

/** Refuses a request of which nothing has been read, and takes the request over. */
export function refuseAndLinger(res: HttpResponse, answer: Answer): void {
  const lingering = new LingeringAnswer(res, answer);
  res.onAborted(() => lingering.aborted());
  res.onData((chunk, isLast) => lingering.data(chunk.byteLength, isLast));
}
