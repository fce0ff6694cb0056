/** Whether a port can be listened on. uWebSockets.js only says that it could not: Node tries the same and says why. */
import { createServer } from 'node:net';
import { ListenError, PortBusyError } from './errors.js';

/** Undefined when it can, a moment ago. */
export function reasonNotToListen(
  host: string,
  port: number,
): Promise<PortBusyError | ListenError | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      const busy = cause.code === 'EADDRINUSE';
      resolve(
        busy
          ? new PortBusyError(host, port, { cause })
          : new ListenError(host, port, cause.code ?? cause.message, { cause }),
      );
    });
    probe.listen({ host, port, exclusive: true }, () => {
      probe.close(() => resolve(undefined));
    });
  });
}
