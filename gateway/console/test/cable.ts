/** What lies between a browser and a node, and can be pulled out and put in again at the same address. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';

export class Cable {
  readonly #to: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  port = 0;

  constructor(t: Test, to: number) {
    this.#to = to;
    t.teardown(() => this.pull());
  }

  async plug(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(this.#to, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address !== null && typeof address === 'object') this.port = address.port;
  }

  pull(): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
