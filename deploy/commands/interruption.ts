/** SIGINT and SIGTERM end a run, which takes back first what it made; a second one ends the process. */
import { constants } from 'node:os';

interface Interruption {
  readonly signal: AbortSignal;
  /** That of a shell for the signal that came; undefined when none did. */
  exitCode(): number | undefined;
  release(): void;
}

function interruption(): Interruption {
  const controller = new AbortController();
  let first: NodeJS.Signals | undefined;
  const codeOf = (signal: NodeJS.Signals) => 128 + constants.signals[signal];
  const onSignal = (signal: NodeJS.Signals) => {
    // What is left is a probe, which its name tells.
    if (first !== undefined) process.exit(codeOf(signal));
    first = signal;
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    exitCode: () => (first === undefined ? undefined : codeOf(first)),
    release() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

export { interruption };
