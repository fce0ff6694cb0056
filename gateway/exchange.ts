/**
 * One request with a body and its answer, where everything in between takes its time: a token is looked up, bytes go to an
 * object store. Never a webhook.
 *
 * ```
 * held --receive--> flowing --last bytes--> complete
 *   |                  |                       |
 *   +------------------+-----------------------+--answer--> answered
 *   `------------------+-----------------------+--client left--> aborted
 * ```
 * - Held, the socket is paused. What came along with the head is copied and waits (one read of uWebSockets.js, 512 KiB at most).
 * - An answer before the last bytes goes out as `linger.ts` says.
 * - Each chunk is copied once, out of the memory that uWebSockets.js takes back; the copy is the receiver's.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { type Answer, type SendOptions, send } from './answer.js';
import { LingeringAnswer } from './linger.js';

/** What a handler needs of a request after its own turn, when `req` is dead. */
export interface RequestHead {
  /** Lower case. */
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly parameters: readonly string[];
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Whether bytes follow the head. */
  readonly hasBody: boolean;
}

export function readHead(req: HttpRequest, parameterCount = 0): RequestHead {
  const headers = new Map<string, string>();
  req.forEach((name, value) => {
    headers.set(name, value);
  });
  return {
    method: req.getMethod(),
    path: req.getUrl(),
    query: req.getQuery() ?? '',
    parameters: Array.from({ length: parameterCount }, (_, index) => req.getParameter(index) ?? ''),
    headers,
    hasBody: headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) !== 0,
  };
}

export interface BodyReceiver {
  /** False: no more before `resume`, though what the socket has read already still comes. */
  chunk(bytes: Uint8Array): boolean;
  end(): void;
  /** The client left, or the answer went out, before the end. Nothing comes after it. */
  abort(): void;
}

type Mode = 'held' | 'flowing' | 'complete' | 'answered' | 'aborted';

export class Exchange {
  readonly #res: HttpResponse;
  readonly #sendOptions: SendOptions;
  #mode: Mode = 'held';
  #paused = false;
  /** While held. */
  #early: Uint8Array[] = [];
  #hasLast = false;
  #receiver: BodyReceiver | undefined;
  #lingering: LingeringAnswer | undefined;
  #leave: (() => void) | undefined;

  /**
   * Takes the request over: body, abort and answer. In the handler's own turn.
   *
   * @param hasBody false: uWebSockets.js tells the end of an empty body after the handler's microtasks only, and an answer before it
   * would linger, which costs the connection
   */
  constructor(res: HttpResponse, sendOptions: SendOptions = {}, hasBody = true) {
    this.#res = res;
    this.#sendOptions = sendOptions;
    this.#hasLast = !hasBody;
    res.onAborted(() => this.#aborted());
    res.onData((chunk, isLast) => this.#data(chunk, isLast));
    this.#pause();
  }

  /** Whether the client has left. */
  get isAborted(): boolean {
    return this.#mode === 'aborted';
  }

  get isAnswered(): boolean {
    return this.#mode === 'answered';
  }

  /** Called once when the client leaves before the answer; at once when it has left. */
  onAborted(listener: () => void): void {
    if (this.#mode === 'aborted') listener();
    else this.#leave = listener;
  }

  /** Lets the body flow. Once. After an abort or an answer the receiver is told `abort`. */
  receive(receiver: BodyReceiver): void {
    if (this.#receiver !== undefined) throw new TypeError('a body has one receiver');
    this.#receiver = receiver;
    if (this.#mode === 'aborted' || this.#mode === 'answered') {
      receiver.abort();
      return;
    }
    this.#mode = 'flowing';
    const early = this.#early;
    this.#early = [];
    let room = true;
    for (const bytes of early) room = receiver.chunk(bytes);
    // The receiver may have answered.
    if (this.#mode !== 'flowing') return;
    if (this.#hasLast) this.#complete();
    else if (room) this.resume();
  }

  /** The whole body, or undefined when it has more than `bytesMax` bytes or the client left. */
  readAll(bytesMax: number): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      this.receive({
        chunk: (chunk) => {
          bytes += chunk.byteLength;
          if (bytes > bytesMax) resolve(undefined);
          else chunks.push(chunk);
          return bytes <= bytesMax;
        },
        end: () => resolve(bytes > bytesMax ? undefined : Buffer.concat(chunks)),
        abort: () => resolve(undefined),
      });
    });
  }

  /** The receiver has room again. */
  resume(): void {
    if (!this.#paused || this.#mode !== 'flowing') return;
    this.#paused = false;
    this.#res.resume();
  }

  /** Answers, once; nothing when the client has left. */
  answer(answer: Answer): void {
    if (this.#mode === 'aborted') return;
    if (this.#mode === 'answered') throw new TypeError('a request has one answer');
    const complete = this.#mode === 'complete' || this.#hasLast;
    const receiver = this.#mode === 'complete' ? undefined : this.#receiver;
    this.#mode = 'answered';
    this.#early = [];
    // A connection that stays paused would never read its next request.
    if (this.#paused) {
      this.#paused = false;
      this.#res.resume();
    }
    if (complete) send(this.#res, answer, this.#sendOptions);
    else this.#lingering = new LingeringAnswer(this.#res, answer);
    receiver?.abort();
  }

  #data(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#lingering !== undefined) {
      this.#lingering.data(chunk.byteLength, isLast);
      return;
    }
    if (isLast) this.#hasLast = true;
    if (this.#mode === 'held') {
      if (chunk.byteLength > 0) this.#early.push(copyOf(chunk));
    } else if (this.#mode === 'flowing') {
      const room = chunk.byteLength === 0 || (this.#receiver?.chunk(copyOf(chunk)) ?? true);
      if (this.#mode !== 'flowing') return;
      if (isLast) this.#complete();
      else if (!room) this.#pause();
    }
  }

  #complete(): void {
    this.#mode = 'complete';
    this.#receiver?.end();
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#res.pause();
  }

  #aborted(): void {
    if (this.#lingering !== undefined) {
      this.#lingering.aborted();
      return;
    }
    if (this.#mode === 'answered' || this.#mode === 'aborted') return;
    const receiver = this.#mode === 'complete' ? undefined : this.#receiver;
    this.#mode = 'aborted';
    this.#early = [];
    receiver?.abort();
    this.#leave?.();
  }
}

/** In memory of its own, so that it can be transferred to another thread. */
function copyOf(chunk: ArrayBuffer): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(chunk.byteLength);
  copy.set(new Uint8Array(chunk));
  return copy;
}
