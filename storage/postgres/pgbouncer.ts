/**
 * A pgBouncer in front of a Postgres on this machine, set up as Tether wants it: for the cluster on one machine and for tests.
 *
 * It pools by transaction: a connection of the server belongs to a client from BEGIN to COMMIT, and to anybody in between. Nothing of a
 * session survives, so Tether asks for nothing of the kind (`pool.ts`), and no start-up parameter has to be ignored for it.
 * pgBouncer refuses to run as root just as Postgres does, so it gets the account that an embedded Postgres would have there.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../find-program.js';
import { makeDirectory } from '../make-directory.js';
import { chooseAccount } from './embedded-account.js';
import { locatePostgresBinaries } from './embedded-binaries.js';

export interface PgBouncerOptions {
  /** Of its files; made when it is missing, its parent is there. */
  readonly directory: string;
  /** Of 127.0.0.1. */
  readonly port: number;
  /** Of the Postgres behind it, with user and password. */
  readonly databaseUrl: string;
  /** Connections to Postgres, at most. */
  readonly serverConnectionsMax: number;
  readonly clientConnectionsMax: number;
  /** For a connection to Postgres; then the client hears that there is none. */
  readonly waitSecondsMax: number;
}

export interface PreparedPgBouncer {
  /** What to run. It stays in the foreground, writes its log to stderr, and ends when we do. */
  readonly command: readonly [string, ...string[]];
  /** Of the same database by way of it. The password is inside: never for a log. */
  readonly url: string;
}

/** Writes its files. @throws EmbeddedPostgresAccountError, EmbeddedPostgresUnsupportedError */
export async function preparePgBouncer(options: PgBouncerOptions): Promise<PreparedPgBouncer> {
  const { directory, port, databaseUrl } = options;
  const { postgres } = await locatePostgresBinaries();
  const account = await chooseAccount(postgres, directory);
  await makeDirectory(directory, 0o700);
  const users = join(directory, 'users.txt');
  const file = join(directory, 'pgbouncer.ini');
  await writeFile(file, pgbouncerConfig(options, users), { mode: 0o600 });
  const { username, password } = credentials(databaseUrl);
  await writeFile(users, `"${quoted(username)}" "${quoted(password)}"\n`, { mode: 0o600 });
  await account.own(directory);
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return { command: account.wrap([findProgram('pgbouncer') ?? 'pgbouncer', file], 'KILL'), url: url.href };
}

/** The text of pgbouncer.ini. */
function pgbouncerConfig(options: PgBouncerOptions, users: string): string {
  const { hostname, port, pathname } = new URL(options.databaseUrl);
  const { username } = credentials(options.databaseUrl);
  const database = decodeURIComponent(pathname.slice(1));
  return `[databases]
${database} = host=${hostname} port=${port || 5432} dbname=${database}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${options.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
; SHOW POOLS and the like: psql on the database "pgbouncer".
admin_users = ${username}

pool_mode = transaction
max_client_conn = ${options.clientConnectionsMax}
default_pool_size = ${options.serverConnectionsMax}
max_db_connections = ${options.serverConnectionsMax}

; A Postgres that restarts is asked for every second.
server_login_retry = 1
server_connect_timeout = 5
query_wait_timeout = ${options.waitSecondsMax}
; A client that stands still in a transaction holds locks that others wait for.
idle_transaction_timeout = 60

log_connections = 0
log_disconnections = 0
log_stats = 0
`;
}

function credentials(databaseUrl: string): { readonly username: string; readonly password: string } {
  const { username, password } = new URL(databaseUrl);
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** As the file of users has it. */
function quoted(text: string): string {
  return text.replaceAll('"', '""');
}
