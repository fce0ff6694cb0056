/**
 * A real Postgres as a child of this process: for a laptop, a demo, a small shop, a test.
 *
 * Promises:
 * - It starts as root and as an ordinary user (`embedded-account.ts`), on a free port of 127.0.0.1, behind a password.
 * - A kill of any of our processes at any moment leaves a directory that the next start takes up; what still runs on it is
 *   stopped first (`embedded-directory.ts`, `embedded-leftovers.ts`).
 * - It is as durable as any Postgres: fsync and synchronous_commit stay on.
 * - A Ctrl-C of the terminal does not reach it: it has a session of its own, so that our drain can still write. It does not
 *   outlive us: where the kernel can tell it, our death shuts it down.
 */
import { realpath, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import pg from 'pg';
import type { Logger } from '../../runtime/logger.js';
import { makeDirectory } from '../make-directory.js';
import { chooseAccount } from './embedded-account.js';
import { DATABASE, urlOf } from './embedded-address.js';
import { locatePostgresBinaries } from './embedded-binaries.js';
import { prepareDirectory, readPassword } from './embedded-directory.js';
import { type EmbeddedPostgresExitedError, EmbeddedPostgresStartError } from './embedded-errors.js';
import { OWNER_FILE, readOwner, stopLeftovers } from './embedded-leftovers.js';
import { PostgresProcess } from './embedded-process.js';

export interface EmbeddedPostgresOptions {
  /** Made when it is missing; its parent too. */
  readonly dataDir: string;
  readonly logger: Logger;
  /** Of 127.0.0.1. Default: one that is free, another at each start. A given one that is taken fails the start. */
  readonly port?: number;
  /** Until the server accepts connections, crash recovery included. Default 60,000. */
  readonly startMsMax?: number;
  /** For an orderly shutdown; afterwards it is made to end. Default 20,000. */
  readonly stopMsMax?: number;
}

export interface EmbeddedPostgres {
  /** Of the database `tether`. The superuser's password is inside: never for a log. */
  readonly url: string;
  readonly pid: number;
  /** Ends the server: connections are closed, what was committed is on disk. Idempotent. */
  stop(): Promise<void>;
  /** Resolves when the server has ended: to undefined after `stop`, else to what happened. Never rejects. */
  readonly exited: Promise<EmbeddedPostgresExitedError | undefined>;
}

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 20_000;
const CONNECT_MS_MAX = 10_000;
const PORT_TRIES_MAX = 5;

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=50',
  'shared_buffers=128MB',
  'max_wal_size=1GB',
  'jit=off',
  'fsync=on',
  'synchronous_commit=on',
  'timezone=UTC',
  'log_timezone=UTC',
  'lc_messages=C',
  'log_destination=stderr',
  'logging_collector=off',
  'log_line_prefix=',
  // Without WARNING and ERROR: see embedded-log.ts.
  'log_min_messages=log',
  'log_min_error_statement=panic',
];

/**
 * Starts the server on `dataDir`; to be called from the main thread, whose end is the server's.
 * @throws EmbeddedPostgresUnsupportedError, EmbeddedPostgresAccountError, EmbeddedPostgresDirectoryError,
 *   EmbeddedPostgresVersionError, EmbeddedPostgresBusyError, EmbeddedPostgresStartError
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { logger, startMsMax = START_MS_MAX, stopMsMax = STOP_MS_MAX } = options;
  const dataDir = await inRealParent(options.dataDir);
  const binaries = await locatePostgresBinaries();
  const account = await chooseAccount(binaries.postgres, dataDir);
  await stopLeftovers(dataDir, { owner: await readOwner(dataDir), stopMsMax, logger });
  await prepareDirectory(dataDir, binaries, account, { logger });
  const password = await readPassword(dataDir);
  await writeFile(join(dataDir, OWNER_FILE), `${process.pid}\n`, { mode: 0o600 });

  const deadline = performance.now() + startMsMax;
  for (let tries = 1; ; tries++) {
    const port = options.port ?? (await freePort());
    const settings = [...SETTINGS, `port=${port}`].flatMap((setting) => ['-c', setting]);
    const command = account.wrap([binaries.postgres, '-D', dataDir, ...settings], 'INT');
    const server = new PostgresProcess(command, dataDir, stopMsMax, logger);
    try {
      await server.ready(deadline - performance.now());
      await createDatabase(urlOf(password, port, 'postgres'));
      logger.info({ dataDir, port, pid: server.pid, account: account.name }, 'the embedded Postgres is up');
      const { pid, exited } = server;
      return { url: urlOf(password, port, DATABASE), pid, exited, stop: () => server.stop() };
    } catch (error) {
      await server.stop();
      if (
        options.port !== undefined ||
        !isPortTaken(error) ||
        tries === PORT_TRIES_MAX ||
        performance.now() >= deadline
      )
        throw error;
      logger.warn({ port, tries }, 'the port of the embedded Postgres was taken meanwhile');
    }
  }
}

/** `path` with its parent made and free of links, so that it can be compared with what the kernel tells. */
async function inRealParent(path: string): Promise<string> {
  const absolute = resolve(path);
  await makeDirectory(dirname(absolute), 0o755);
  const inParent = join(await realpath(dirname(absolute)), basename(absolute));
  return realpath(inParent).catch(() => inParent);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done, failed) => {
    probe.once('error', failed);
    probe.listen({ host: '127.0.0.1', port: 0 }, done);
  });
  const address = probe.address();
  await new Promise<void>((done) => probe.close(() => done()));
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port');
  return address.port;
}

function isPortTaken(error: unknown): boolean {
  return (
    error instanceof EmbeddedPostgresStartError &&
    error.lastLines.some((line) => /Address already in use|could not create any TCP\/IP sockets/.test(line))
  );
}

/** Makes the database, unless an earlier start did. */
async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS_MAX });
  // A loss of the connection also rejects the query under way.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } catch (cause) {
    throw new EmbeddedPostgresStartError('the embedded Postgres is up and does not serve', [], { cause });
  } finally {
    await client.end();
  }
}
