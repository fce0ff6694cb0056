/**
 * Where the program of a server stands: on PATH, or where Debian puts what is meant for administrators and an ordinary user's PATH leaves out.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const BESIDE_PATH = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Its absolute path, or undefined when it is not installed. */
export function findProgram(
  name: string,
  path: string | undefined = process.env.PATH,
  beside: readonly string[] = BESIDE_PATH,
): string | undefined {
  const directories = [...(path ?? '').split(delimiter).filter((directory) => directory !== ''), ...beside];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
