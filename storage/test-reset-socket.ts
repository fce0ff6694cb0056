/**
 * Resets a connection, for tests: its other end sees ECONNRESET, not an end.
 *
 * Node's own `resetAndDestroy` must not meet a socket whose end (FIN) is on its way, as it is for a moment whenever the other end has just ended.
 * libuv refuses it then, and Node takes the handle for closed all the same: nobody closes it any more, no `close` comes, and a process that is
 * done never ends. It spins until that handle is closed.
 */
import type { Socket } from 'node:net';

/** At once, or when its end has gone out. */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if (isEnding(socket)) socket.once('finish', () => resetSocket(socket));
  else socket.resetAndDestroy();
}

/** It is asked to end, and what was written before is out: the end itself is next, and waits for nobody. */
function isEnding({ writableEnded, writableFinished, writableLength }: Socket): boolean {
  return writableEnded && !writableFinished && writableLength === 0;
}
