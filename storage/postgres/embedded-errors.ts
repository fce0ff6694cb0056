/**
 * What can go wrong with the embedded Postgres. One class per failure; each message says what to do about it.
 *
 * None of them is an outage that waiting ends: they are met while a node starts, or they end it.
 */
import { TetherError } from '../../runtime/errors.js';

/** There are no Postgres binaries for this machine, or they cannot be run. */
export class EmbeddedPostgresUnsupportedError extends TetherError {
  readonly code = 'TETHER_POSTGRES_EMBEDDED_UNSUPPORTED';
  readonly retryable = false;
}

/** Postgres refuses to run as root, and no other account can reach its binaries and its data. */
export class EmbeddedPostgresAccountError extends TetherError {
  readonly code = 'TETHER_POSTGRES_EMBEDDED_ACCOUNT';
  readonly retryable = false;
}

/** The data directory is something else than one that Tether made. */
export class EmbeddedPostgresDirectoryError extends TetherError {
  readonly code = 'TETHER_POSTGRES_EMBEDDED_DIRECTORY';
  readonly retryable = false;
}

/** The data directory was made by another major version of Postgres. */
export class EmbeddedPostgresVersionError extends TetherError {
  readonly code = 'TETHER_POSTGRES_EMBEDDED_VERSION';
  readonly retryable = false;
}

/** Another live process runs a server on the data directory. */
export class EmbeddedPostgresBusyError extends TetherError {
  readonly code = 'TETHER_POSTGRES_EMBEDDED_BUSY';
  readonly retryable = true;
}

/** The server, or `initdb`, did not come up. The message ends with the last lines of its log. */
export class EmbeddedPostgresStartError extends TetherError {
  readonly code = 'TETHER_POSTGRES_EMBEDDED_START';
  readonly retryable = true;
  readonly lastLines: readonly string[];

  constructor(message: string, lastLines: readonly string[], options?: { readonly cause?: unknown }) {
    super(withLines(message, lastLines), options);
    this.lastLines = lastLines;
  }
}

/** The server ended and nobody had asked it to. */
export class EmbeddedPostgresExitedError extends TetherError {
  readonly code = 'TETHER_POSTGRES_EMBEDDED_EXITED';
  readonly retryable = true;
  /** How it ended, without the lines. */
  readonly reason: string;
  readonly lastLines: readonly string[];

  constructor(reason: string, lastLines: readonly string[]) {
    super(withLines(reason, lastLines));
    this.reason = reason;
    this.lastLines = lastLines;
  }
}

function withLines(message: string, lastLines: readonly string[]): string {
  return lastLines.length === 0 ? message : `${message}. Its last lines:\n${lastLines.join('\n')}`;
}
