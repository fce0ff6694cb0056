/**
 * A TCP proxy for tests, in front of a server, that fails as it is told: what a network and a dying server do, on real sockets.
 *
 * | fault    | what a client of it sees                                                                     |
 * |----------|----------------------------------------------------------------------------------------------|
 * | `pass`   | the server                                                                                     |
 * | `refuse` | no connection; those that are there are reset                                                  |
 * | `reset`  | each connection is reset when it has sent so many bytes since the fault was set: mid-part         |
 * | `stall`  | connections are accepted and stay silent, those that are there too, until another fault resets them |
 * | `slow`   | so many bytes a second, for each connection and direction                                       |
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { resetSocket } from '../test-reset-socket.js';

type Fault =
  | { readonly kind: 'pass' | 'refuse' | 'stall' }
  | { readonly kind: 'reset'; readonly afterBytes: number }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number };

interface TestScope {
  teardown(work: () => Promise<void>): void;
}

/** Shorter waits are saved up. */
const TICK_MS = 20;

class Connection {
  readonly #client: Socket;
  readonly #server: Socket;
  #sent = 0;
  #stalled = false;

  constructor(client: Socket, serverPort: number, fault: () => Fault, onBytes: (bytes: number) => void) {
    this.#client = client;
    this.#server = connect({ host: '127.0.0.1', port: serverPort, noDelay: true });
    const both = [this.#client, this.#server];
    for (const socket of both) {
      socket.on('error', () => this.reset());
      socket.on('close', () => this.reset());
    }
    const forward = (from: Socket, to: Socket) => {
      let owedMs = 0;
      from.on('data', (chunk) => {
        const now = fault();
        if (from === client) {
          this.#sent += chunk.length;
          onBytes(chunk.length);
          if (now.kind === 'reset' && this.#sent > now.afterBytes) {
            this.reset();
            return;
          }
        }
        if (now.kind === 'stall') {
          this.stall();
          return;
        }
        from.pause();
        const go = () => void from.resume();
        if (now.kind === 'slow') {
          trickle(to, chunk, now.bytesPerSecond, owedMs, (owed) => {
            owedMs = owed;
            go();
          });
        } else if (to.write(chunk)) go();
        else to.once('drain', go);
      });
      from.on('end', () => to.end());
    };
    forward(client, this.#server);
    forward(this.#server, client);
    if (fault().kind === 'stall') this.stall();
  }

  /** A new fault. */
  changed(fault: Fault): void {
    this.#sent = 0;
    if (this.#stalled || fault.kind === 'refuse') this.reset();
    else if (fault.kind === 'stall') this.stall();
  }

  stall(): void {
    this.#stalled = true;
    this.#client.pause();
    this.#server.pause();
  }

  reset(): void {
    resetSocket(this.#client);
    resetSocket(this.#server);
  }
}

class FaultProxy {
  readonly #serverPort: number;
  readonly #connections = new Set<Connection>();
  #server: Server | undefined;
  #fault: Fault = { kind: 'pass' };
  #port = 0;
  #bytes = 0;
  #accepted = 0;

  constructor(serverPort: number) {
    this.#serverPort = serverPort;
  }

  get port(): number {
    return this.#port;
  }

  /** From clients, so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Connections, so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** In force when it resolves. */
  async set(fault: Fault): Promise<void> {
    this.#fault = fault;
    for (const connection of this.#connections) connection.changed(fault);
    if (fault.kind === 'refuse') await this.#close();
    else if (this.#server === undefined) await this.#listen();
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.reset();
    await this.#close();
  }

  #listen(): Promise<void> {
    const server = createServer((client) => {
      this.#accepted++;
      const onBytes = (bytes: number) => {
        this.#bytes += bytes;
      };
      const connection = new Connection(client, this.#serverPort, () => this.#fault, onBytes);
      this.#connections.add(connection);
      client.on('close', () => this.#connections.delete(connection));
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', () => {
        const address = server.address();
        if (address !== null && typeof address === 'object') this.#port = address.port;
        resolve();
      });
    });
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }
}

export type { FaultProxy };

/** Listens, and passes. */
export async function startFaultProxy(t: TestScope, serverPort: number): Promise<FaultProxy> {
  const proxy = new FaultProxy(serverPort);
  t.teardown(() => proxy.close());
  await proxy.set({ kind: 'pass' });
  return proxy;
}

/** Writes `chunk` at its pace; `owedMs` is what the pieces before it were too fast. What is still owed goes to `done`. */
function trickle(
  to: Socket,
  chunk: Buffer,
  perSecond: number,
  owedMs: number,
  done: (owedMs: number) => void,
): void {
  if (to.destroyed) return;
  const piece = chunk.subarray(0, Math.max(1, Math.ceil((perSecond * TICK_MS) / 1_000)));
  const rest = chunk.subarray(piece.length);
  const owed = owedMs + (piece.length * 1_000) / perSecond;
  const next = (still: number) =>
    rest.length === 0 ? done(still) : trickle(to, rest, perSecond, still, done);
  to.write(piece);
  if (owed < TICK_MS) {
    next(owed);
    return;
  }
  const began = performance.now();
  setTimeout(() => next(Math.max(0, owed - (performance.now() - began))), owed);
}
