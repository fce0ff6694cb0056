import { constants } from 'node:os';
import type { Logger } from '../runtime/logger.js';

/** npm and the shell both pass a Ctrl-C on: what comes this soon after the first is the same key press. */
const SAME_PRESS_MS = 1_000;
/** As a shell says it of a program that the signal ended: 130 for SIGINT, 143 for SIGTERM. */
const forcedExitCode = (signal: NodeJS.Signals) => 128 + constants.signals[signal];

export interface StopSignal {
  /** Resolves with the name of the first SIGINT or SIGTERM. */
  readonly told: Promise<NodeJS.Signals>;
  /** Gives the signals back to Node. */
  release(): void;
}

/**
 * Listens for SIGINT and SIGTERM. A second one, not of the same key press, ends the process at once, with `warning` in the log: nothing is lost
 * by it.
 */
export function untilToldToStop(
  logger: Logger,
  warning = 'a second signal: the node ends without draining; what is acknowledged is on the journal',
): StopSignal {
  let first: number | undefined;
  let resolve: (signal: NodeJS.Signals) => void = () => {};
  const told = new Promise<NodeJS.Signals>((done) => {
    resolve = done;
  });
  const onSignal = (signal: NodeJS.Signals) => {
    if (first === undefined) {
      first = Date.now();
      resolve(signal);
    } else if (Date.now() - first > SAME_PRESS_MS) {
      logger.warn({ signal }, warning);
      process.exit(forcedExitCode(signal));
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    told,
    release() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

/**
 * Calls `reload` at each SIGHUP, one at a time. Not where the process has a terminal: there the signal says that the terminal is gone, and ends
 * the process as it ever did. @returns how to give the signal back to Node
 */
export function onHangup(logger: Logger, reload: () => Promise<void>): () => void {
  if (process.stdin.isTTY) return () => {};
  let under = Promise.resolve();
  const onSignal = () => {
    logger.info({ signal: 'SIGHUP' }, 'told to read the endpoints anew');
    under = under.then(reload).catch((error: unknown) => {
      logger.error({ err: error }, 'the endpoints could not be read anew');
    });
  };
  process.on('SIGHUP', onSignal);
  return () => void process.off('SIGHUP', onSignal);
}
