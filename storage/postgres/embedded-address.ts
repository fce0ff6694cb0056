/** Where an embedded server is reached. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from './embedded-binaries.js';
import { readPassword, SUPERUSER } from './embedded-directory.js';

export const DATABASE = 'tether';
/** Line of postmaster.pid that holds the port, from 0. */
const PORT_LINE = 3;

export function urlOf(password: string, port: number, database: string): string {
  return `postgres://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

/**
 * The URL of the server that serves `dataDir`, or served it last; undefined when none ever did or it ended in an orderly
 * way. It holds the superuser's password.
 */
export async function embeddedPostgresUrl(dataDir: string): Promise<string | undefined> {
  try {
    const port = Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[PORT_LINE]);
    return port > 0 ? urlOf(await readPassword(dataDir), port, DATABASE) : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
