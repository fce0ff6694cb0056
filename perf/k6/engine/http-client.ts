/**
 * The I/O of all VUs, on the main thread: connections are kept, and each request is timed from the moment at which it has a connection, as k6's
 * `http_req_duration` is.
 */
import type { Socket } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { type HttpAnswer, type HttpRequest, monotonicMs } from './messages.js';

/** Beyond it an answer is an error. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** Less than a gateway's 10 seconds, so that no request is sent on a connection that is being closed. */
const IDLE_MS = 4_000;
/** k6's numbers of errors, and what Node and undici call them. */
const ERROR_CODES: Readonly<Record<string, number>> = {
  ENOTFOUND: 1101,
  UND_ERR_CONNECT_TIMEOUT: 1211,
  ECONNREFUSED: 1212,
  ECONNRESET: 1220,
  UND_ERR_SOCKET: 1220,
};
const OTHER_ERROR = 1000;
const TIMEOUT = 1050;

class RequestTimeoutError extends Error {}

export class HttpClient {
  readonly #agent: Agent;
  readonly #sockets = new Set<Socket>();
  #sentBytes = 0;
  #receivedBytes = 0;

  /** @param connections to each origin: as many as there are VUs, so that none waits for another's */
  constructor(connections: number) {
    const connect = buildConnector({ timeout: 30_000 });
    this.#agent = new Agent({
      connections,
      pipelining: 1,
      keepAliveTimeout: IDLE_MS,
      connect: (options, callback) =>
        connect(options, (...[error, socket]) => {
          if (error !== null) callback(error, null);
          else {
            this.#count(socket);
            callback(null, socket);
          }
        }),
    });
  }

  /** Bytes on the network. */
  get traffic(): { readonly sentBytes: number; readonly receivedBytes: number } {
    let [sentBytes, receivedBytes] = [this.#sentBytes, this.#receivedBytes];
    for (const socket of this.#sockets) {
      sentBytes += socket.bytesWritten;
      receivedBytes += socket.bytesRead;
    }
    return { sentBytes, receivedBytes };
  }

  /** Never rejects: what goes wrong is an answer of status 0. */
  send(request: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve) => {
      const exchange = new Exchange(request, resolve);
      let url: URL;
      try {
        url = new URL(request.url);
        this.#agent.dispatch(
          {
            origin: url.origin,
            path: url.pathname + url.search,
            method: request.method as Dispatcher.HttpMethod,
            headers: request.headers,
            body: request.body,
            // The exchange has its own, over the whole of it.
            headersTimeout: 0,
            bodyTimeout: 0,
          },
          exchange,
        );
      } catch (error) {
        exchange.fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Breaks what is under way. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #count(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#sentBytes += socket.bytesWritten;
      this.#receivedBytes += socket.bytesRead;
    });
  }
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #queuedMs = monotonicMs();
  #controller: Dispatcher.DispatchController | undefined;
  #sentMs: number | undefined;
  #headMs: number | undefined;
  #status = 0;
  #statusText = '';
  #headers: Readonly<Record<string, string>> = {};
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;

  constructor(request: HttpRequest, resolve: (answer: HttpAnswer) => void) {
    this.#resolve = resolve;
    this.#timer = setTimeout(() => this.fail(new RequestTimeoutError('request timeout')), request.timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#over) {
      controller.abort(new RequestTimeoutError('request timeout'));
      return;
    }
    this.#controller = controller;
    this.#sentMs = monotonicMs();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: NodeJS.Dict<string | string[]>,
    statusText = '',
  ): void {
    if (status < 200) return;
    this.#headMs = monotonicMs();
    this.#status = status;
    this.#statusText = statusText;
    this.#headers = Object.fromEntries(
      Object.entries(headers).map(([name, value = '']) => [
        canonical(name),
        typeof value === 'string' ? value : value.join(', '),
      ]),
    );
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > ANSWER_BYTES_MAX)
      this.fail(new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#end('', 0);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error);
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.#status = 0;
    this.#statusText = '';
    const code = String(Reflect.get(error, 'code') ?? '');
    const number = error instanceof RequestTimeoutError ? TIMEOUT : (ERROR_CODES[code] ?? OTHER_ERROR);
    this.#end(error.message || code || error.name, number);
    this.#controller?.abort(error);
  }

  #end(error: string, errorCode: number): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    const endMs = monotonicMs();
    const sentMs = this.#sentMs ?? endMs;
    const headMs = this.#headMs ?? endMs;
    this.#resolve({
      status: this.#status,
      statusText: this.#statusText,
      headers: this.#headers,
      body: errorCode === 0 ? Buffer.concat(this.#chunks) : new Uint8Array(),
      error,
      errorCode,
      timings: {
        blocked: sentMs - this.#queuedMs,
        waiting: headMs - sentMs,
        receiving: endMs - headMs,
        duration: endMs - sentMs,
      },
    });
  }
}

/** `content-type` as Go writes it, and therefore k6: `Content-Type`. */
function canonical(name: string): string {
  return name.toLowerCase().replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
