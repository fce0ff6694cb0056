/** What the server and the worker of the peer Express and graphile-worker agree on. */
import { consoleLogFactory, Logger } from 'graphile-worker';

export const GRAPHILE_TASK = 'notification';

export interface GraphileJob {
  readonly body: string;
  readonly receivedAtMs: number;
}

/** Failures only: it has a line for each job otherwise. */
export function failuresOnly(): Logger {
  return new Logger((scope) => {
    const log = consoleLogFactory(scope);
    return (level, message) => {
      // Its enum of levels is one of constants, which cannot be imported here.
      if (`${level}` === 'error') log(level, message);
    };
  });
}
