/** HTTP/1.1 by hand, so that a test decides which bytes go out when. */
import { connect, type Socket } from 'node:net';
import { resetSocket } from '../../storage/test-reset-socket.js';

export interface RawResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const WAIT_MS_MAX = 5000;
const HEAD_END = '\r\n\r\n';

export class RawClient {
  readonly socket: Socket;
  #received = '';
  #ended = false;
  #failed: Error | undefined;
  readonly #wakers = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('error', (error) => {
      this.#failed = error;
      this.#wake();
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  static open(port: number, localAddress = '127.0.0.1'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, localAddress });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  write(bytes: string | Uint8Array): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Writes, and resolves when the kernel has the bytes. */
  flush(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** The next answer. `head`: it has no body whatever it announces. Rejects when the connection ends before it. */
  async response({ head = false }: { readonly head?: boolean } = {}): Promise<RawResponse> {
    await this.#until(() => this.#received.includes(HEAD_END), 'the head of an answer');
    const headEnd = this.#received.indexOf(HEAD_END) + HEAD_END.length;
    const [statusLine = '', ...lines] = this.#received.slice(0, headEnd - HEAD_END.length).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const length = head ? 0 : Number(headers['content-length'] ?? 0);
    await this.#until(() => this.#received.length >= headEnd + length, 'the body of an answer');
    const body = this.#received.slice(headEnd, headEnd + length);
    this.#received = this.#received.slice(headEnd + length);
    return {
      status: Number(statusLine.split(' ')[1]),
      headers,
      body: Buffer.from(body, 'latin1').toString('utf8'),
    };
  }

  /** Whether anything is there that `response` has not taken. */
  get hasMore(): boolean {
    return this.#received !== '';
  }

  /** Resolves when the connection is closed by the other side. */
  async closed(): Promise<void> {
    await this.#until(() => this.#ended, 'the end of the connection');
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    resetSocket(this.socket);
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + WAIT_MS_MAX;
    while (!condition()) {
      if (this.#ended) {
        throw new Error(`the connection ended before ${what}; received ${JSON.stringify(this.#received)}`, {
          cause: this.#failed,
        });
      }
      await new Promise<void>((resolve, reject) => {
        const wake = () => {
          clearTimeout(timer);
          this.#wakers.delete(wake);
          resolve();
        };
        const timer = setTimeout(() => {
          this.#wakers.delete(wake);
          reject(new Error(`${what} did not come; received ${JSON.stringify(this.#received)}`));
        }, deadline - Date.now());
        this.#wakers.add(wake);
      });
    }
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
  }
}

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** The head of a request, with `Content-Length` for `body`, and the body. */
export function request({ method = 'GET', path = '/', headers = [], body }: RequestParts): string {
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...headers, ...length, '', body ?? ''].join(
    '\r\n',
  );
}
