/**
 * Decides under which account the embedded Postgres runs. Postgres refuses to run as root.
 *
 * An ordinary user runs it as himself. For root, the first of these that can reach the binaries and the place of the
 * data wins:
 *
 * | candidate                        | how        | why in this place                                                 |
 * |----------------------------------|------------|-------------------------------------------------------------------|
 * | the owner of the data, not root  | `setpriv`  | leaves the files as they are                                      |
 * | root, called nobody              | `unshare`  | reaches a checkout under a 0700 home; refused in many containers  |
 * | the owner of the place, not root | `setpriv`  | root works in a user's private home                               |
 * | nobody                           | `setpriv`  | works where the place is open to all, as in a container           |
 *
 * Postgres must not outlive us: where `setpriv` has it, the kernel sends a signal when the parent dies. It is set last of
 * all, because a change of credentials clears it, and it follows the thread that started the child: start it from the
 * main thread.
 */
import { execFile } from 'node:child_process';
import { lchown, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgresAccountError, EmbeddedPostgresUnsupportedError } from './embedded-errors.js';

const run = promisify(execFile);
const PROBE_MS_MAX = 10_000;
const NOBODY = 65_534;

export type ParentDeathSignal = 'INT' | 'KILL';

export interface PostgresAccount {
  /** For people. */
  readonly name: string;
  /** Major version of the binaries, as the probe read it. */
  readonly majorVersion: number;
  /** The command line that runs `command` under this account. */
  wrap(command: readonly string[], signal: ParentDeathSignal): readonly [string, ...string[]];
  /** Makes the account the owner of `path` and all below it. */
  own(path: string): Promise<void>;
}

interface Candidate {
  readonly name: string;
  /** Owner of the files, as the kernel sees it; undefined for an ordinary user. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly prefix: readonly string[];
}

/** The environment of every Postgres process: nothing of ours that could steer it (PGDATA, PGOPTIONS, LD_*). */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * @param dataDir may be missing; its parent is a directory that exists
 * @throws EmbeddedPostgresAccountError, EmbeddedPostgresUnsupportedError
 */
export async function chooseAccount(postgres: string, dataDir: string): Promise<PostgresAccount> {
  const place = dirname(dataDir);
  const refusals: string[] = [];
  for (const candidate of await candidates(dataDir, place)) {
    try {
      const { stdout } = await probe([
        ...candidate.prefix,
        'sh',
        '-c',
        'test -x "$1" && exec "$2" --version',
        'sh',
        place,
        postgres,
      ]);
      return account(candidate, majorVersion(stdout), await hasParentDeathSignal());
    } catch (cause) {
      if (cause instanceof EmbeddedPostgresUnsupportedError) throw cause;
      if (candidate.owner === undefined) {
        throw new EmbeddedPostgresUnsupportedError(
          `the embedded Postgres does not run here: ${reason(cause)}; set TETHER_DATABASE_URL to a server of your own`,
          { cause },
        );
      }
      refusals.push(`as ${candidate.name}: ${reason(cause)}`);
    }
  }
  throw new EmbeddedPostgresAccountError(
    `Postgres does not run as root, and no other account reaches ${postgres} and ${place} (${refusals.join('; ')}). ` +
      'Start Tether as an ordinary user, or move it and its data to a place that all users may enter, ' +
      'or set TETHER_DATABASE_URL to a server of your own',
  );
}

async function candidates(dataDir: string, place: string): Promise<readonly Candidate[]> {
  if (process.getuid?.() !== 0) return [{ name: 'this user', owner: undefined, prefix: [] }];
  const list: Candidate[] = [];
  const data = await stat(dataDir).catch(() => undefined);
  const around = await stat(place);
  if (data !== undefined && data.uid !== 0) list.push(setpriv(data.uid, data.gid));
  list.push({
    name: 'root in a user namespace',
    owner: { uid: 0, gid: 0 },
    prefix: ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'],
  });
  if (around.uid !== 0) list.push(setpriv(around.uid, around.gid));
  list.push(setpriv(NOBODY, NOBODY));
  return list;
}

function setpriv(uid: number, gid: number): Candidate {
  return {
    name: `user ${uid}`,
    owner: { uid, gid },
    prefix: ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'],
  };
}

function account(candidate: Candidate, major: number, withDeathSignal: boolean): PostgresAccount {
  return {
    name: candidate.name,
    majorVersion: major,
    wrap(command, signal) {
      const deathSignal = withDeathSignal ? ['setpriv', '--pdeathsig', signal, '--'] : [];
      const [program, ...args] = [...candidate.prefix, ...deathSignal, ...command];
      if (program === undefined) throw new TypeError('a command is needed');
      return [program, ...args];
    },
    async own(path) {
      if (candidate.owner !== undefined) await chownAll(path, candidate.owner.uid, candidate.owner.gid);
    },
  };
}

async function chownAll(path: string, uid: number, gid: number): Promise<void> {
  const { uid: owner } = await stat(path);
  if (owner === uid) return;
  // The top comes last: it tells whether the whole is done.
  for (const entry of await readdir(path, { recursive: true })) await lchown(join(path, entry), uid, gid);
  await lchown(path, uid, gid);
}

async function hasParentDeathSignal(): Promise<boolean> {
  try {
    await probe(['setpriv', '--pdeathsig', 'INT', '--', 'true']);
    return true;
  } catch {
    return false; // Not Linux, or a smaller setpriv. The next start finds and stops what a killed run left.
  }
}

function probe(command: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const [program, ...args] = command;
  if (program === undefined) throw new TypeError('a command is needed');
  return run(program, args, { timeout: PROBE_MS_MAX, env: postgresEnvironment(), cwd: '/' });
}

function majorVersion(stdout: string): number {
  const major = /PostgreSQL\) (\d+)/.exec(stdout)?.[1];
  if (major === undefined) {
    throw new EmbeddedPostgresUnsupportedError(`the version of Postgres is unreadable: ${stdout.trim()}`);
  }
  return Number(major);
}

/** The last line that a failed probe wrote, or what the system said. */
function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const stderr = 'stderr' in cause ? String(cause.stderr).trim() : '';
  return stderr.split('\n').at(-1) || ('code' in cause ? `exit ${String(cause.code)}` : cause.message);
}
