/** The errors of running a node, each with the exit code that the command line gives it (`exit-codes.ts`). */
import { TetherError } from '../runtime/errors.js';

/** The configuration is refused. One problem a line; none of them shows a secret. */
class ConfigError extends TetherError {
  readonly code = 'TETHER_CONFIG_REFUSED';
  readonly retryable = false;
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: { readonly cause?: unknown }) {
    super(problems.join('\n'), options);
    this.problems = problems;
  }
}

/** A command was called in a way that it does not know. */
class UsageError extends TetherError {
  readonly code = 'TETHER_USAGE';
  readonly retryable = false;
}

/** A node did not answer a command of the operator's, or answered no. */
class NodeRequestError extends TetherError {
  readonly code = 'TETHER_NODE_REQUEST';
  readonly retryable = true;
  /** Of the answer; undefined when there was none. */
  readonly statusCode: number | undefined;

  constructor(message: string, options?: { readonly cause?: unknown; readonly statusCode?: number }) {
    super(message, options);
    this.statusCode = options?.statusCode;
  }
}

export { ConfigError, NodeRequestError, UsageError };
