/**
 * What an error of Postgres, of its driver or of the connection means, decided in one place.
 *
 * | class                      | met when                                                                    | the runtime  |
 * |----------------------------|-----------------------------------------------------------------------------|--------------|
 * | `PostgresUnavailableError` | no connection, a lost one, a server that starts, stops, is full or read-only | waits        |
 * | `PostgresConflictError`    | another transaction was in the way: serialization, deadlock, lock timeout    | tries again  |
 * | `PostgresQueryError`       | the statement itself failed, `retryable` by its SQLSTATE                     | as retryable |
 *
 * No message holds parameters, the server's DETAIL (it quotes rows), or a URL: a log may show each of them. For the same
 * reason the original error is not kept as `cause`: it carries the detail.
 */
import { OutageError, TetherError } from '../../runtime/errors.js';

/** Postgres cannot be used now. Nothing is wrong with the message that met this. */
export class PostgresUnavailableError extends OutageError {
  readonly code = 'TETHER_POSTGRES_UNAVAILABLE';
  /** SQLSTATE or system error code, or empty. */
  readonly reason: string;

  constructor(message: string, reason = '') {
    super(message);
    this.reason = reason;
  }
}

/** Another transaction was in the way; the same transaction, from its start, may succeed. */
export class PostgresConflictError extends TetherError {
  readonly code = 'TETHER_POSTGRES_CONFLICT';
  readonly retryable = true;
  readonly sqlstate: string;

  constructor(message: string, sqlstate: string) {
    super(message);
    this.sqlstate = sqlstate;
  }
}

/** A statement failed. */
export class PostgresQueryError extends TetherError {
  readonly code = 'TETHER_POSTGRES_QUERY';
  readonly retryable: boolean;
  readonly sqlstate: string;
  /** The constraint that was violated, or empty. */
  readonly constraint: string;

  constructor(message: string, details: { sqlstate: string; constraint: string; retryable: boolean }) {
    super(message);
    this.retryable = details.retryable;
    this.sqlstate = details.sqlstate;
    this.constraint = details.constraint;
  }
}

const CONFLICTS: ReadonlySet<string> = new Set([
  '40001', // serialization failure
  '40P01', // deadlock
  '55P03', // lock not available
]);

/**
 * SQLSTATEs, or their classes, that mean an outage. 57014 (statement timeout, cancel) is none of them: a statement that
 * is too slow by itself must not be tried for ever.
 */
const OUTAGES = [
  '08', // connection exception
  '53', // too many connections, disk full, out of memory
  '58', // system error outside of Postgres, such as I/O
  '57P01', // shut down by the administrator
  '57P02', // a crash of another backend
  '57P03', // starting up, shutting down
  '57P04', // database dropped
  '57P05', // idle session timeout
  '25006', // read-only: a standby, or a disk near full
  '25P03', // idle in transaction timeout: the connection is gone
  '25P04', // transaction timeout: the same
  '28', // authorization: while a password rotates; an operator repairs it, not the sender
  '3D000', // the database is not there yet
] as const;

const SYSTEM_OUTAGES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
  'ENOENT', // the directory of a unix socket
]);

/** What pg and pg-pool say without a code. */
const DRIVER_OUTAGES =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client was closed|Cannot use a pool after calling end|Client network socket disconnected|The server does not support SSL)/;

/** `error` as one of the classes above; a TetherError and what is no error of Postgres come back as they are. */
export function toPostgresError(error: unknown): Error {
  if (error instanceof TetherError) return error;
  if (!(error instanceof Error)) return new Error(`not an error was thrown: ${typeof error}`);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (isSqlState(error, code)) return fromSqlState(error, code);
  if (SYSTEM_OUTAGES.has(code))
    return new PostgresUnavailableError(`Postgres is out of reach: ${code}`, code);
  if (error instanceof AggregateError && error.errors.some((each) => isOutage(toPostgresError(each)))) {
    return new PostgresUnavailableError('Postgres is out of reach at each of its addresses', code);
  }
  if (DRIVER_OUTAGES.test(error.message))
    return new PostgresUnavailableError(`Postgres: ${error.message}`, code);
  return error;
}

/** Whether the class of `error` says that waiting is all there is to do. */
function isOutage(error: Error): boolean {
  return error instanceof OutageError;
}

/** A SQLSTATE has five characters, as `EPIPE` has; only the server sends a severity with it. */
function isSqlState(error: Error, code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && 'severity' in error;
}

function fromSqlState(error: Error, sqlstate: string): Error {
  if (OUTAGES.some((outage) => sqlstate.startsWith(outage))) {
    return new PostgresUnavailableError(`Postgres is unavailable (${sqlstate}): ${error.message}`, sqlstate);
  }
  if (CONFLICTS.has(sqlstate)) {
    return new PostgresConflictError(`Postgres met a conflict (${sqlstate}): ${error.message}`, sqlstate);
  }
  const constraint = 'constraint' in error ? String(error.constraint ?? '') : '';
  return new PostgresQueryError(`a statement failed (${sqlstate}): ${safeMessage(error.message, sqlstate)}`, {
    sqlstate,
    constraint,
    // Class 22 is bad data, 23 a violated constraint: the same rows fail again. Anything else may be repaired meanwhile
    // (a missing table by a migration) or pass (a timeout).
    retryable: !sqlstate.startsWith('22') && !sqlstate.startsWith('23'),
  });
}

/** Messages of class 22 quote the value that was refused. */
function safeMessage(message: string, sqlstate: string): string {
  return sqlstate.startsWith('22') ? message.replace(/: ".*$/s, '').replace(/".*"/gs, '"…"') : message;
}
