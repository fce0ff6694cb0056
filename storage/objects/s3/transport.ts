/**
 * How the `minio` client speaks HTTP: with limits of time that it does not have itself.
 *
 * Each request runs inside `run`, which gives it its limits and ends it when they pass. An answer that is no success is
 * read here, to its end, and becomes an `S3AnswerError`: the client would leave the body of a 5xx unread, and with it a connection of
 * the pool for ever.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { hasCode } from '../../journal/has-code.js';
import { answerError, S3TimeoutError } from './answers.js';

export interface CallLimits {
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** Of the whole call; of a `streamed` one, until its answer begins. */
  readonly totalMs: number;
  /** The answer's body is the caller's, who has limits of his own for it. */
  readonly streamed?: boolean;
  /** What it does twice is done once: it may be sent again when an idle connection proves to be closed. */
  readonly repeatable?: boolean;
}

interface Call {
  readonly limits: CallLimits;
  /** Ends the request under way; one that begins afterwards is not made. */
  abort: (error: Error) => void;
  /** The connection had been idle, and was closed before an answer. */
  stale: boolean;
  /** The call's time is over. */
  late?: Error;
}

type OnResponse = (response: http.IncomingMessage) => void;

/** For a thread; beyond it requests wait for their turn, within their limits. */
const CONNECTIONS_MAX = 64;
/** Downloads have their own: slow readers of files must not keep uploads from the store. */
const DOWNLOADS_MAX = 256;
/** Less than most servers keep an idle connection, so that a request seldom meets one that is being closed. */
const FREE_MS = 4_000;
const ERROR_BODY_BYTES_MAX = 64 * 1024;

export class S3Transport {
  readonly #module: typeof http | typeof https;
  readonly #agents: { readonly calls: http.Agent; readonly downloads: http.Agent };
  readonly #connectMs: number;
  readonly #calls = new AsyncLocalStorage<Call>();

  constructor(secure: boolean, connectMs: number) {
    this.#module = secure ? https : http;
    const { Agent } = this.#module;
    const options = { keepAlive: true, scheduling: 'lifo', timeout: FREE_MS } as const;
    this.#agents = {
      calls: new Agent({ ...options, maxSockets: CONNECTIONS_MAX }),
      downloads: new Agent({ ...options, maxSockets: DOWNLOADS_MAX, maxFreeSockets: 16 }),
    };
    this.#connectMs = connectMs;
  }

  /** For the client; of `http.request` it uses this one form. */
  readonly request = ((options: http.RequestOptions, onResponse: OnResponse) =>
    this.#request(options, onResponse)) as unknown as typeof http.request;

  /** Runs a request of the client under these limits. */
  async run<T>(limits: CallLimits, work: () => Promise<T>): Promise<T> {
    const call: Call = { limits, abort: () => {}, stale: false };
    try {
      return await this.#within(call, work);
    } catch (error) {
      if (!call.stale || limits.repeatable !== true) throw error;
      return this.#within({ limits, abort: () => {}, stale: false }, work);
    }
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  async #within<T>(call: Call, work: () => Promise<T>): Promise<T> {
    const { totalMs } = call.limits;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new S3TimeoutError(`not within ${totalMs} ms`);
        call.late = error;
        call.abort(error);
        // A request that still waits for a connection would tell when it gets one.
        reject(error);
      }, totalMs);
    });
    try {
      return await Promise.race([this.#calls.run(call, work), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #request(options: http.RequestOptions, onResponse: OnResponse): http.ClientRequest {
    const call = this.#calls.getStore();
    if (call === undefined) throw new Error('a request of S3 has no limits: it is made outside of run()');
    // The client asks for page after page by itself, as long as the server has more.
    if (call.late !== undefined) throw call.late;
    const { idleMs, streamed } = call.limits;
    const agent = streamed === true ? this.#agents.downloads : this.#agents.calls;
    const request = this.#module.request({ ...options, agent, timeout: idleMs });
    let response: http.IncomingMessage | undefined;
    call.abort = (error) => void (response ?? request).destroy(error);
    request.on('timeout', () => call.abort(new S3TimeoutError(`silent for ${idleMs} ms`)));
    request.once('socket', (socket) => this.#limitConnecting(request, socket));
    request.on('error', (error) => {
      if (response === undefined && request.reusedSocket) call.stale = hasCode(error, 'ECONNRESET', 'EPIPE');
    });
    request.once('response', (answer) => {
      response = answer;
      // The client listens a few turns later; an error until then must not end the process. Its own limit ends the call.
      answer.on('error', () => {});
      const status = answer.statusCode ?? 0;
      if (status < 200 || status >= 300) {
        readFailure(request, answer, status);
        return;
      }
      if (streamed === true) request.setTimeout(0);
      onResponse(answer);
    });
    return request;
  }

  #limitConnecting(request: http.ClientRequest, socket: Socket): void {
    if (!socket.connecting) return;
    const timer = setTimeout(() => {
      request.destroy(new S3TimeoutError(`no connection within ${this.#connectMs} ms`));
    }, this.#connectMs);
    const clear = () => clearTimeout(timer);
    socket.once('connect', clear);
    socket.once('close', clear);
  }
}

function readFailure(request: http.ClientRequest, answer: http.IncomingMessage, status: number): void {
  if (request.method === 'HEAD') {
    // Has no body; and a server that sends one all the same (Swift does) breaks the connection's next answer, not this one.
    request.emit('error', answerError(status, ''));
    request.destroy();
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= ERROR_BODY_BYTES_MAX) chunks.push(chunk);
  });
  answer.once('error', (error) => request.emit('error', error));
  answer.once('end', () => {
    request.emit('error', answerError(status, Buffer.concat(chunks).toString()));
    // Refused before its body was read: the rest of it goes nowhere.
    if (!request.writableFinished) request.destroy();
  });
}
