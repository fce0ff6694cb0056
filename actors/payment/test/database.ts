/**
 * For tests: a real Postgres of the test's own, at an address that survives its restarts.
 *
 * A restarted server gets another port, and an actor is told its address once. So the actor goes through a relay on a port
 * that stays: while the server is away, the relay hangs up.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { silentLogger } from '../../../runtime/logger.js';
import { startEmbeddedPostgres } from '../../../storage/postgres/embedded.js';
import { createPool } from '../../../storage/postgres/pool.js';
import { startTestPostgres, type TestScope } from '../../../storage/postgres/test-server.js';

export interface TestDatabase {
  readonly url: string;
  /** Ends the server at once, as a crash does: it waits for nobody. Nothing to do when it is not running. */
  stop(): Promise<void>;
  start(): Promise<void>;
  rows<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

export async function openDatabase(t: TestScope): Promise<TestDatabase> {
  const started = await startTestPostgres(t);
  let server = started.server;
  t.teardown(() => server.stop());

  const sockets = new Set<Socket>();
  let target: number | undefined = portOf(server.url);
  const relay = createServer((client) => {
    if (target === undefined) {
      client.destroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const url = new URL(server.url);
  url.port = String((relay.address() as AddressInfo).port);
  const pool = createPool({
    url: url.href,
    connectionsMax: 1,
    applicationName: 'tether test',
    logger: silentLogger,
  });
  t.teardown(async () => {
    await pool.end();
    for (const socket of sockets) socket.destroy();
    relay.close();
  });

  return {
    url: url.href,
    async stop() {
      const running = target !== undefined;
      target = undefined;
      if (running) process.kill(server.pid, 'SIGQUIT');
      await server.exited;
    },
    async start() {
      server = await startEmbeddedPostgres({ dataDir: started.dataDir, logger: silentLogger });
      target = portOf(server.url);
    },
    rows: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await pool.query<Row>(text, values)).rows,
  };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
