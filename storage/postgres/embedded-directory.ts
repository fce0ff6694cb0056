/**
 * Makes and checks the data directory of the embedded Postgres.
 *
 * A directory appears under its name only when it is complete: `initdb` works in a sibling, `NAME.initdb-PID-RANDOM/`, that
 * holds the password and the data, and its `data` is renamed at the end. Killed before the rename, a run leaves a sibling
 * that the next start removes, with whatever still works in it; killed after it, a directory that is whole.
 *
 * The superuser's password is random and stands in the directory, readable by its owner alone.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from '../../runtime/logger.js';
import { type PostgresAccount, postgresEnvironment } from './embedded-account.js';
import { isErrno, type PostgresBinaries } from './embedded-binaries.js';
import {
  EmbeddedPostgresDirectoryError,
  EmbeddedPostgresStartError,
  EmbeddedPostgresVersionError,
} from './embedded-errors.js';
import { stopLeftovers } from './embedded-leftovers.js';

export const SUPERUSER = 'tether';
export const PASSWORD_FILE = 'tether-password';
const INITDB_MS_MAX = 120_000;
const OUTPUT_BYTES_MAX = 64 * 1024;

/**
 * Resolves when `dataDir` is a data directory of this major version.
 * @param dataDir a path whose parent is a real path
 * @throws EmbeddedPostgresDirectoryError, EmbeddedPostgresVersionError, EmbeddedPostgresStartError
 */
export async function prepareDirectory(
  dataDir: string,
  binaries: PostgresBinaries,
  account: PostgresAccount,
  options: { readonly logger: Logger },
): Promise<void> {
  await removeUnfinished(dataDir, options);
  const found = await dataVersion(dataDir);
  if (found === undefined) {
    await initialise(dataDir, binaries, account);
    options.logger.info(
      { dataDir, account: account.name },
      'made a data directory for the embedded Postgres',
    );
  } else if (found !== account.majorVersion) {
    throw new EmbeddedPostgresVersionError(
      `${dataDir} was made by Postgres ${found}, this is ${account.majorVersion}: use the release of Tether that made it ` +
        'and move the data with pg_dump, or choose another TETHER_DATA_DIR',
    );
  } else {
    await account.own(dataDir);
  }
}

/** The superuser's password. @throws EmbeddedPostgresDirectoryError */
export async function readPassword(dataDir: string): Promise<string> {
  const path = join(dataDir, PASSWORD_FILE);
  try {
    const password = (await readFile(path, 'utf8')).trim();
    if (/^[\w-]{20,}$/.test(password)) return password;
  } catch (cause) {
    throw new EmbeddedPostgresDirectoryError(`the password of the embedded Postgres is unreadable: ${path}`, {
      cause,
    });
  }
  throw new EmbeddedPostgresDirectoryError(`the password of the embedded Postgres is damaged: ${path}`);
}

/** Major version of the data, or undefined where there is nothing yet. */
async function dataVersion(dataDir: string): Promise<number | undefined> {
  try {
    const version = (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim();
    if (/^\d+$/.test(version)) return Number(version);
    throw new EmbeddedPostgresDirectoryError(`${join(dataDir, 'PG_VERSION')} is damaged`);
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause;
  }
  try {
    const entries = await readdir(dataDir);
    if (entries.length === 0) return undefined;
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return undefined;
    throw new EmbeddedPostgresDirectoryError(`${dataDir} is not a readable directory`, { cause });
  }
  throw new EmbeddedPostgresDirectoryError(
    `${dataDir} holds files and no Postgres data: nothing was touched. Choose another TETHER_DATA_DIR`,
  );
}

function unfinishedPrefix(dataDir: string): string {
  return `${basename(dataDir)}.initdb-`;
}

async function removeUnfinished(dataDir: string, options: { readonly logger: Logger }): Promise<void> {
  const prefix = unfinishedPrefix(dataDir);
  for (const name of await readdir(dirname(dataDir))) {
    if (!name.startsWith(prefix)) continue;
    const path = join(dirname(dataDir), name);
    // Its maker is in its name: a live one, parent of what works there, is another start under way.
    const owner = Number(name.slice(prefix.length).split('-')[0]);
    await stopLeftovers(path, { ...options, owner, stopMsMax: 0 });
    await rm(path, { recursive: true, force: true });
    options.logger.info({ path }, 'removed an unfinished data directory');
  }
}

async function initialise(
  dataDir: string,
  binaries: PostgresBinaries,
  account: PostgresAccount,
): Promise<void> {
  const work = await mkdtemp(join(dirname(dataDir), `${unfinishedPrefix(dataDir)}${process.pid}-`));
  const passwordFile = join(work, PASSWORD_FILE);
  const data = join(work, 'data');
  await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flush: true });
  await mkdir(data, { mode: 0o700 });
  await account.own(work);
  await runInitdb(
    account.wrap(
      [
        binaries.initdb,
        `--pgdata=${data}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-instructions',
      ],
      'KILL',
    ),
    work,
  );
  await rename(passwordFile, join(data, PASSWORD_FILE));
  await syncDirectory(data);
  await rename(data, dataDir);
  await syncDirectory(dirname(dataDir));
  await rm(work, { recursive: true, force: true });
}

function runInitdb(command: readonly [string, ...string[]], cwd: string): Promise<void> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(program, args, {
      cwd,
      detached: true,
      env: postgresEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: INITDB_MS_MAX,
      killSignal: 'SIGKILL',
    });
    const collect = (chunk: string): void => {
      output = (output + chunk).slice(-OUTPUT_BYTES_MAX);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.once('error', (cause) => {
      reject(new EmbeddedPostgresStartError('initdb cannot be started', [], { cause }));
    });
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else {
        const lines = output.trim().split('\n').slice(-20);
        reject(new EmbeddedPostgresStartError(`initdb ended with ${signal ?? `exit code ${code}`}`, lines));
      }
    });
  });
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
