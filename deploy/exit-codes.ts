/**
 * The exit codes of `tether`. The numbers are those of sysexits(3), so that a supervisor can tell a mistake that a
 * restart cannot mend (64, 78) from a failure that it may (1).
 */
import { ConfigError, UsageError } from './errors.js';

const EXIT = Object.freeze({
  /** It did what it was asked to. A node that was told to stop and drained ends with this too. */
  ok: 0,
  /** It failed while it ran, or part of the work was not done. */
  failed: 1,
  /** Unknown command, option or argument. */
  usage: 64,
  /** The configuration is refused. */
  config: 78,
});

/** The exit code that stands for `error`. */
function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof ConfigError) return EXIT.config;
  return EXIT.failed;
}

export { EXIT, exitCodeOf };
