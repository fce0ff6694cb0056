import type { MessagePort } from 'node:worker_threads';
import { causeOf } from '../failure.js';
import type { SharedLogLevel } from '../log-level.js';
import type { Logger, LogLevel } from '../logger.js';
import type { Log } from '../worker-protocol.js';

/** A logger in a worker thread: lines of `level` and above, as it is by then, go to the main thread, which writes them. */
export function portLogger(port: MessagePort, level: SharedLogLevel, bound: object): Logger {
  const line = (of: LogLevel) => (fields: object, message: string) => {
    if (!level.takes(of)) return;
    port.postMessage({
      type: 'log',
      level: of,
      fields: plain({ ...bound, ...fields }),
      message,
    } satisfies Log);
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

/** What a structured clone can carry: errors lose their class on the way, anything else that cannot be cloned throws. */
function plain(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? causeOf(value) : typeof value === 'function' ? '[function]' : value,
    ]),
  );
}
