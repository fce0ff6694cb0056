/**
 * Makes a directory and what is missing above it. Node's own `mkdir` with `recursive` never returns where the system says
 * ENOENT for a parent that exists (`/proc/x`), and says ENOENT where it is EROFS.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './journal/has-code.js';

/** @throws what the operating system says of the first directory that cannot be made */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  if (await made(path, mode)) return;
  const parent = dirname(path);
  if (parent !== path) await makeDirectory(parent, mode);
  await mkdir(path, { mode }).catch(unlessThere(path));
}

/** False when something above it is missing. */
async function made(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode }).catch(unlessThere(path));
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function unlessThere(path: string): (error: unknown) => Promise<void> {
  return async (error) => {
    if (!hasCode(error, 'EEXIST') || !(await stat(path)).isDirectory()) throw error;
  };
}
