import type { MessagePort } from 'node:worker_threads';
import { causeOf } from '../failure.js';
import type { Logger } from '../logger.js';
import type { Log } from '../worker-protocol.js';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** A logger in a worker thread: lines of `level` and above go to the main thread, which writes them. */
export function portLogger(port: MessagePort, level: string, bound: object): Logger {
  const from = LEVELS.indexOf(level as Level);
  const logger = {} as Record<Level, Logger['info']>;
  for (const [rank, name] of LEVELS.entries()) {
    logger[name] = (fields, message) => {
      if (rank < from) return;
      port.postMessage({
        type: 'log',
        level: name,
        fields: plain({ ...bound, ...fields }),
        message,
      } satisfies Log);
    };
  }
  return logger;
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
