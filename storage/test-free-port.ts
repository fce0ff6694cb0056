import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below those that systems give to connections and to servers without a port of their own (32768 and up on Linux): there, what is free
 * now may be somebody's own end of a connection a moment later.
 */
const PORT_MIN = 20_000;
const PORT_END = 32_000;
const TRIES_MAX = 50;

/** A TCP port of 127.0.0.1 that nothing listens on right now, and that nobody gets by chance. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = randomInt(PORT_MIN, PORT_END);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error(`no free port between ${PORT_MIN} and ${PORT_END} after ${TRIES_MAX} tries`);
}
