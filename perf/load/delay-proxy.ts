/** A TCP proxy that hands on each piece so much later, in both directions: a network between, whose speed is not the limit. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface DelayProxy {
  readonly port: number;
  /** Milliseconds one way, from now on; 0 hands on at once. */
  delayMs: number;
  close(): Promise<void>;
}

/** To a port of this machine. */
export async function startDelayProxy(target: number): Promise<DelayProxy> {
  const sockets = new Set<Socket>();
  const proxy = { port: 0, delayMs: 0, close };
  const forward = (from: Socket, to: Socket) => {
    // One timer for each direction, so that nothing overtakes: two timers of different length may.
    const waiting: { readonly dueMs: number; readonly work: () => void }[] = [];
    const next = () => {
      for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
        const waitMs = first.dueMs - performance.now();
        if (waitMs > 0) {
          setTimeout(next, waitMs);
          return;
        }
        waiting.shift();
        first.work();
      }
    };
    const later = (work: () => void) => {
      waiting.push({ dueMs: performance.now() + proxy.delayMs, work });
      if (waiting.length === 1) next();
    };
    from.on('data', (chunk) => later(() => void to.write(chunk)));
    from.on('end', () => later(() => void to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => sockets.delete(from));
    sockets.add(from);
  };
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    forward(client, upstream);
    forward(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.port = (server.address() as AddressInfo).port;
  return proxy;

  async function close(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  }
}
