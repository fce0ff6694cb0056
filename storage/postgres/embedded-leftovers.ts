/**
 * Stops what a killed run left running on a data directory, so that a start always finds it free.
 *
 * | found in the directory                                          | done                                     |
 * |-----------------------------------------------------------------|------------------------------------------|
 * | a postmaster whose parent is the process in the owner file      | refused: that process lives and uses it  |
 * | any other postmaster                                            | an orphan: SIGINT, SIGQUIT, SIGKILL      |
 * | backends without a postmaster                                   | the same; they end by themselves mostly  |
 * | `postmaster.pid` and no process                                 | removed: its pid may belong to anybody   |
 *
 * A process counts when it is a Postgres and its working directory is the data directory: a pid from a file proves nothing.
 * An owner that died is never the parent: the kernel hands its children to another process.
 */
import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../runtime/logger.js';
import { isErrno } from './embedded-binaries.js';
import { EmbeddedPostgresBusyError, EmbeddedPostgresStartError } from './embedded-errors.js';

/** In the data directory: the pid of the process that last started a server there. */
export const OWNER_FILE = 'tether-owner';

const POLL_MS = 20;
const QUIT_MS_MAX = 5_000;
const KILL_MS_MAX = 5_000;

interface PostgresProcess {
  readonly pid: number;
  readonly program: 'postgres' | 'initdb';
  readonly parent: number;
}

/**
 * Resolves when no Postgres runs on `directory`, a real path, or below it.
 * @param stopMsMax how long an orphan may take for an orderly shutdown, before it is made to end
 * @throws EmbeddedPostgresBusyError, EmbeddedPostgresStartError
 */
export async function stopLeftovers(
  directory: string,
  options: { readonly owner: number | undefined; readonly stopMsMax: number; readonly logger: Logger },
): Promise<void> {
  const found = await postgresProcesses(directory);
  const postmaster = await readPid(join(directory, 'postmaster.pid'));
  // By its place, not by its parent alone: an owner that is process 1 of a container adopts lone backends.
  const owned = found.find(
    ({ pid, parent, program }) => parent === options.owner && (pid === postmaster || program === 'initdb'),
  );
  if (owned !== undefined) {
    throw new EmbeddedPostgresBusyError(
      `${directory} is in use: process ${owned.parent} runs Postgres on it as ${owned.pid}`,
    );
  }
  if (found.length > 0) {
    options.logger.warn(
      { directory, pids: found.map(({ pid }) => pid) },
      'stopping a Postgres left by a killed run',
    );
    await endAll(directory, options.stopMsMax);
  }
  if (process.platform === 'linux') await removePidFile(directory);
}

async function removePidFile(directory: string): Promise<void> {
  try {
    await rm(join(directory, 'postmaster.pid'), { force: true });
  } catch (error) {
    if (!isErrno(error, 'ENOTDIR')) throw error; // What a file in place of a directory means is for others to say.
  }
}

/** The pid in the owner file of a data directory. */
export function readOwner(dataDir: string): Promise<number | undefined> {
  return readPid(join(dataDir, OWNER_FILE));
}

/** The number in the first line of a file, or undefined where there is none. */
async function readPid(path: string): Promise<number | undefined> {
  try {
    const pid = Number.parseInt(await readFile(path, 'utf8'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/**
 * The Postgres processes at work in `directory` or below. None where there is no /proc: there Postgres itself refuses
 * to start beside another, and says so.
 */
export async function postgresProcesses(directory: string): Promise<readonly PostgresProcess[]> {
  if (process.platform !== 'linux') return [];
  const found: PostgresProcess[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const process = await postgresProcess(entry, directory);
    if (process !== undefined) found.push(process);
  }
  return found;
}

async function postgresProcess(pid: string, directory: string): Promise<PostgresProcess | undefined> {
  try {
    const cwd = await readlink(`/proc/${pid}/cwd`);
    if (cwd !== directory && !cwd.startsWith(`${directory}/`)) return undefined;
    // An update may have replaced the binary under the running server.
    const program = basename((await readlink(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, ''));
    if (program !== 'postgres' && program !== 'initdb') return undefined;
    const parent = /^PPid:\t(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
    return parent === undefined ? undefined : { pid: Number(pid), program, parent: Number(parent) };
  } catch (error) {
    // Gone meanwhile, or of a user whose processes are none of our business.
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

/** Ends every Postgres process of `directory`, as gently as it lets us. */
export async function endAll(directory: string, stopMsMax: number): Promise<void> {
  const steps = [
    { signal: 'SIGINT', msMax: stopMsMax },
    { signal: 'SIGQUIT', msMax: QUIT_MS_MAX },
    { signal: 'SIGKILL', msMax: KILL_MS_MAX },
  ] as const;
  for (const { signal, msMax } of steps) {
    const processes = await postgresProcesses(directory);
    const pids = new Set(processes.map(({ pid }) => pid));
    for (const { pid, parent } of processes) {
      // The postmaster tells its own children, in the right order; to a lone backend SIGINT is just a cancel.
      if (signal === 'SIGKILL' || !pids.has(parent)) send(pid, signal);
    }
    if (await allGone(directory, msMax)) return;
  }
  throw new EmbeddedPostgresStartError(`a Postgres left on ${directory} does not end, even by SIGKILL`, []);
}

async function allGone(directory: string, msMax: number): Promise<boolean> {
  const deadline = performance.now() + msMax;
  for (;;) {
    if ((await postgresProcesses(directory)).length === 0) return true;
    if (performance.now() >= deadline) return false;
    await delay(POLL_MS);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
    process.kill(pid, 'SIGCONT'); // A suspended process would act on it never.
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}
