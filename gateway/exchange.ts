/**
 * One request with a body and its answer, where everything in between takes its time: a token is looked up, bytes go to an
 * object store. Never a webhook.
 *
 * ```
 * held --receive--> flowing --last bytes--> complete
 *   |                  |                       |
 *   +------------------+-----------------------+--answer, stream--> answered
 *   `------------------+-----------------------+--client left--> aborted
 * ```
 * - Held, the socket is paused. What came along with the head is copied and waits (one read of uWebSockets.js, 512 KiB at most).
 * - An answer before the last bytes goes out as `linger.ts` says.
 * - An answer that comes bit by bit is a `ResponseStream`; it begins when the request has no more bytes.
 * - Each chunk is copied, out of the memory that uWebSockets.js takes back; the copy is the receiver's. Small ones go to it together, in the
 *   next turn at the latest: see `small-chunks.ts`.
 *
 * Time. uWebSockets.js ends a connection by itself, and cannot be told otherwise; this is what it did when it was tried:
 *
 * | the request                                          | was ended                                              |
 * |------------------------------------------------------|--------------------------------------------------------|
 * | paused in the handler's own turn, as `held` is       | after 10 s: the handler's return starts the clock again |
 * | paused in a callback for data, or in any later turn  | never                                                  |
 * | reading, the client sends 0.1 or 20 KB/s             | after 12 s, after 36 s: 160 KB are asked for in 10 s    |
 * | reading, `resume` called every 4 s, whatever comes   | never                                                  |
 * | complete, the answer takes 40 s                      | never                                                  |
 * | paused, and the client closes or resets              | not before it is resumed                               |
 *
 * So `pause` or `resume` is said again every `TOUCH_MS` until the answer is out, and what a client may take is ours to say:
 * `SILENCE_MS_MAX` between two reads of its bytes while it is read from. A paused client waits for us, and its time does not count.
 *
 * A client that sends `Expect: 100-continue`, as curl does from 1 MiB on, is told to go on by uWebSockets.js itself, at the head and whatever
 * we think of the request. A second one from here would take the place of the answer's status line.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { type Answer, type SendOptions, send, writeHead } from './answer.js';
import { LingeringAnswer } from './linger.js';
import { problem } from './problem.js';
import { ResponseStream } from './response-stream.js';
import { copyOf, SmallChunks } from './small-chunks.js';

/** What a handler needs of a request after its own turn, when `req` is dead. */
export interface RequestHead {
  /** Lower case. */
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly parameters: readonly string[];
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
}

export function readHead(req: HttpRequest, parameterCount = 0): RequestHead {
  const headers = new Map<string, string>();
  req.forEach((name, value) => {
    // The first of a name, as uWebSockets.js itself takes it: a second Content-Length must not tell us another length.
    if (!headers.has(name)) headers.set(name, value);
  });
  return {
    method: req.getMethod(),
    path: req.getUrl(),
    query: req.getQuery() ?? '',
    parameters: Array.from({ length: parameterCount }, (_, index) => req.getParameter(index) ?? ''),
    headers,
  };
}

export interface BodyReceiver {
  /** False: no more before `resume`, though what the socket has read already still comes. */
  chunk(bytes: Uint8Array): boolean;
  end(): void;
  /** The client left, or the answer went out, before the end. Nothing comes after it. */
  abort(): void;
}

/** Well below the ten seconds of uWebSockets.js, whose clock ticks every four. */
const TOUCH_MS = 4_000;
const SILENCE_MS_MAX = 30_000;

const NO_BODY = problem('content-too-large', 'this takes no body');

type Mode = 'held' | 'flowing' | 'complete' | 'answered' | 'aborted';

export class Exchange {
  readonly #res: HttpResponse;
  readonly #sendOptions: SendOptions;
  readonly #silenceMsMax: number;
  #mode: Mode = 'held';
  #paused = false;
  /** While held. */
  #early: Uint8Array[] = [];
  readonly #small = new SmallChunks();
  /** Hands on what is small, when nothing larger came. */
  #handOnSoon: NodeJS.Immediate | undefined;
  #hasLast = false;
  #receiver: BodyReceiver | undefined;
  #lingering: LingeringAnswer | undefined;
  #stream: ResponseStream | undefined;
  #leave: (() => void) | undefined;
  #touching: NodeJS.Timeout | undefined;
  /** Since the last bytes, or since it was resumed. */
  #silentMs = 0;

  /** Takes the request over: body, abort and answer. In the handler's own turn. */
  constructor(
    res: HttpResponse,
    head: RequestHead,
    { silenceMsMax = SILENCE_MS_MAX, ...sendOptions }: SendOptions & { readonly silenceMsMax?: number } = {},
  ) {
    this.#res = res;
    this.#sendOptions = sendOptions;
    this.#silenceMsMax = silenceMsMax;
    res.onAborted(() => this.#aborted());
    res.onData((chunk, isLast) => this.#data(chunk, isLast));
    // Without a body its end is told right after the handler's turn, but an answer may be there before.
    this.#hasLast = !announcesBody(head);
    if (this.#hasLast) return;
    this.#pause();
    this.#touching = setInterval(() => this.#touch(), TOUCH_MS);
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
    this.#handOnSmall();
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
    if (this.#mode === 'flowing') this.#unpause();
  }

  /** Answers, once; nothing when the client has left. */
  answer(answer: Answer): void {
    if (this.#mode === 'aborted') return;
    const complete = this.#mode === 'complete' || this.#hasLast;
    const receiver = this.#mode === 'complete' ? undefined : this.#receiver;
    this.#enterAnswered();
    if (complete) send(this.#res, answer, this.#sendOptions);
    else this.#lingering = new LingeringAnswer(this.#res, answer);
    receiver?.abort();
  }

  /**
   * Begins an answer whose body comes bit by bit. `bytes` announces its length; without it the body is chunked.
   * @returns undefined when there is nothing to write: to HEAD, to a client that has left, to a request with a body (413)
   */
  stream(head: Omit<Answer, 'body'>, bytes?: number): ResponseStream | undefined {
    if (this.#mode === 'aborted') return undefined;
    if (!this.#hasLast) {
      this.answer(NO_BODY);
      return undefined;
    }
    this.#enterAnswered();
    const answer = { ...head, body: '' };
    if (this.#sendOptions.head === true || bytes === 0) {
      this.#res.cork(() => {
        writeHead(this.#res, answer);
        if (bytes !== undefined) this.#res.writeHeader('Content-Length', String(bytes));
        this.#res.endWithoutBody();
      });
      return undefined;
    }
    this.#stream = new ResponseStream(this.#res, answer, bytes);
    return this.#stream;
  }

  #enterAnswered(): void {
    if (this.#mode === 'answered') throw new TypeError('a request has one answer');
    this.#mode = 'answered';
    clearInterval(this.#touching);
    this.#early = [];
    // A connection that stays paused would never read its next request, nor see its end.
    this.#unpause();
  }

  #data(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#lingering !== undefined) {
      this.#lingering.data(chunk.byteLength, isLast);
      return;
    }
    this.#silentMs = 0;
    if (isLast) {
      this.#hasLast = true;
      // There is nothing to hold back any more, and of a paused client nobody hears that it has left.
      this.#unpause();
    }
    if (this.#mode !== 'held' && this.#mode !== 'flowing') return;
    const bytes = new Uint8Array(chunk);
    if (!this.#small.add(bytes)) {
      this.#handOnSmall();
      if (!this.#small.add(bytes)) this.#handOn(copyOf(bytes));
    }
    if (this.#mode !== 'flowing') return;
    if (!isLast) {
      if (this.#small.bytes > 0) this.#handOnSoon ??= setImmediate(() => this.#handOnSmall());
      return;
    }
    this.#handOnSmall();
    if (this.#mode === 'flowing') this.#complete();
  }

  #handOnSmall(): void {
    clearImmediate(this.#handOnSoon);
    this.#handOnSoon = undefined;
    if (this.#small.bytes > 0) this.#handOn(this.#small.take());
  }

  #handOn(bytes: Uint8Array): void {
    if (this.#mode === 'held') this.#early.push(bytes);
    if (this.#mode !== 'flowing') return;
    const room = this.#receiver?.chunk(bytes) ?? true;
    // The receiver may have answered.
    if (!room && this.#mode === 'flowing' && !this.#hasLast) this.#pause();
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

  #unpause(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#silentMs = 0;
    this.#res.resume();
  }

  #touch(): void {
    if (this.#paused) {
      this.#res.pause();
      return;
    }
    if (!this.#hasLast) this.#silentMs += TOUCH_MS;
    // Reported by `aborted`, like the client's leaving.
    if (this.#silentMs > this.#silenceMsMax) this.#res.close();
    else this.#res.resume();
  }

  #aborted(): void {
    if (this.#lingering !== undefined) {
      this.#lingering.aborted();
      return;
    }
    this.#stream?.aborted();
    if (this.#mode === 'answered' || this.#mode === 'aborted') return;
    const receiver = this.#mode === 'complete' ? undefined : this.#receiver;
    this.#mode = 'aborted';
    clearInterval(this.#touching);
    this.#early = [];
    // It came before the client left, and a resumable upload keeps it.
    if (this.#small.bytes > 0) receiver?.chunk(this.#small.take());
    receiver?.abort();
    this.#leave?.();
  }
}

function announcesBody({ headers }: RequestHead): boolean {
  return headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) !== 0;
}
