/**
 * Connections to Postgres, and transactions on them.
 *
 * Everything here holds behind pgBouncer in transaction mode too: no session state, no named prepared statements, no
 * start-up options that it would refuse. Time limits for statements are therefore set per transaction, and the driver has
 * one of its own in case the server is silent.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyStream } from 'pg-copy-streams';
import PgPool from 'pg-pool';
import { OutageError } from '../../runtime/errors.js';
import type { Logger } from '../../runtime/logger.js';
import { beginCall, toldCall } from '../../runtime/measure/dependency-calls.js';
import { PostgresQueryError, toPostgresError } from './errors.js';

export interface PoolOptions {
  /** With its password: never for a log. */
  readonly url: string;
  readonly connectionsMax: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly logger: Logger;
  /** For a free connection or a new one. Default 5,000. */
  readonly connectMsMax?: number;
  /** For one statement. Default 30,000. */
  readonly statementMsMax?: number;
  /** After which an unused connection is closed. Default 30,000. */
  readonly idleMsMax?: number;
}

/** What answers statements. */
export interface Queryable {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<pg.QueryResult<Row>>;
}

export interface Pool extends Queryable {
  /** For one statement of a transaction, milliseconds. */
  readonly statementMsMax: number;
  /** Of the pool: connections open, unused, and callers that wait for one. */
  readonly counts: { readonly total: number; readonly idle: number; readonly waiting: number };
  /** Takes a connection; `inTransaction` is what most callers want. */
  connect(): Promise<PooledConnection>;
  /** Waits for transactions under way, closes every connection. Idempotent. */
  end(): Promise<void>;
}

/** What a transaction's function needs of its connection. */
export interface Transaction extends Queryable {
  /**
   * Runs `COPY ... FROM STDIN` with what `chunks` come to, in the format that the statement names; a chunk may end anywhere. All rows are
   * written or, when it rejects, none, and the transaction has failed. Chunks are taken as the server takes them in. They must be at hand:
   * the server's time limit does not run while it waits for one, only the driver's, and that is an outage.
   * @returns the number of rows
   */
  copyFrom(sql: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<number>;
}

export interface PooledConnection extends Transaction {
  /** Gives it back, or closes it when `destroy`. */
  release(destroy: boolean): void;
}

const CONNECT_MS_MAX = 5_000;
const STATEMENT_MS_MAX = 30_000;
const IDLE_MS_MAX = 30_000;
/** Between two statements of a transaction. A process that stands still must not hold locks that others wait for. */
const IDLE_IN_TRANSACTION_MS_MAX = 5_000;
/** The driver gives up this much after the server should have. */
const SILENCE_MS = 5_000;

/** Opens no connection yet. All errors of the pool are classified by `toPostgresError`. */
export function createPool(options: PoolOptions): Pool {
  const { logger, statementMsMax = STATEMENT_MS_MAX } = options;
  let ending: Promise<void> | undefined;
  const pool = new PgPool({
    connectionString: options.url,
    max: options.connectionsMax,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectMsMax ?? CONNECT_MS_MAX,
    idleTimeoutMillis: options.idleMsMax ?? IDLE_MS_MAX,
    query_timeout: statementMsMax + SILENCE_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    allowExitOnIdle: false,
  });
  // Without a listener, an idle connection that the server closes would end the process.
  pool.on('error', (error) => {
    // The end of the pool does not wait until the server has closed the last connections.
    if (ending !== undefined) return;
    logger.warn({ error: toPostgresError(error).message }, 'an idle connection to Postgres was lost');
  });

  async function connect(): Promise<PooledConnection> {
    const client = await connected(pool.connect());
    // While it is lent, the pool does not listen to it. The query under way rejects with the same error.
    const onError = (error: Error): void => {
      logger.debug({ error: toPostgresError(error).message }, 'a connection to Postgres was lost in use');
    };
    client.on('error', onError);
    return {
      query: (sql, values) => called(() => client.query(sql, values && [...values])),
      copyFrom: (sql, chunks) => called(() => copy(client, sql, chunks)),
      release(destroy) {
        client.off('error', onError);
        client.release(destroy);
      },
    };
  }

  return {
    statementMsMax,
    connect,
    query: (sql, values) => called(() => pool.query(sql, values && [...values])),
    end: () => {
      ending ??= pool.end();
      return ending;
    },
    get counts() {
      return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
    },
  };
}

/**
 * Runs `work` in one transaction on one connection. When it resolves, the transaction is committed and durable; when it
 * rejects, it is rolled back, but for a connection lost during COMMIT: then nobody knows, and the effect needs its
 * deduplication row.
 * @throws what `work` throws and what Postgres says, classified by `toPostgresError`
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const connection = await pool.connect();
  let destroy = true;
  try {
    // One round trip; SET LOCAL ends with the transaction, so that a connection shared by pgBouncer stays as it was.
    await connection.query(
      `BEGIN; SET LOCAL statement_timeout = ${Math.trunc(pool.statementMsMax)}; SET LOCAL idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS_MAX}`,
    );
    const result = await work(connection);
    const { command } = await connection.query('COMMIT');
    if (command !== 'COMMIT') throw swallowedError();
    destroy = false;
    return result;
  } catch (error) {
    const classifiedError = toPostgresError(error);
    // After an outage the connection is lost, or of unknown state: closing it rolls back as well.
    if (!(classifiedError instanceof OutageError)) destroy = !(await rolledBack(connection));
    throw classifiedError;
  } finally {
    connection.release(destroy);
  }
}

async function copy(
  client: pg.ClientBase,
  sql: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<number> {
  // The pool's time limit holds for the whole of it, as for any query.
  const stream = client.query(copyStream(sql));
  await pipeline(Readable.from(chunks), stream);
  return stream.rowCount;
}

/** Postgres answers the COMMIT of a failed transaction with ROLLBACK and no error. */
function swallowedError(): PostgresQueryError {
  return new PostgresQueryError(
    'a statement failed, its error was not passed on, and nothing was committed',
    {
      sqlstate: '25P02',
      constraint: '',
      retryable: false,
    },
  );
}

async function rolledBack(connection: Queryable): Promise<boolean> {
  try {
    await connection.query('ROLLBACK');
    return true;
  } catch {
    return false; // The first error is the one to tell; this connection is closed for it.
  }
}

/** A call, which whoever counts them is told of. */
async function called<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await toldCall('postgres', call);
  } catch (error) {
    throw toPostgresError(error);
  }
}

/** The wait for a free connection is no call of Postgres; one that it does not give is. */
async function connected<T>(connection: Promise<T>): Promise<T> {
  const ended = beginCall('postgres');
  try {
    return await connection;
  } catch (error) {
    ended?.(false);
    throw toPostgresError(error);
  }
}
