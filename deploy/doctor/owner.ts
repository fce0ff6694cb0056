/** Who may read and write a file, in words. */
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { hasCode } from '../../storage/journal/has-code.js';

/** `0600` */
function modeText({ mode }: Stats): string {
  return `0${(mode & 0o777).toString(8).padStart(3, '0')}`;
}

/** Whether it is this user's. Root may read anything, so what root owns is for root alone. */
function isOwn({ uid }: Stats): boolean {
  return process.getuid === undefined || uid === process.getuid();
}

/** Undefined when there is none. @throws what the system says otherwise */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

export { isOwn, modeText, statOf };
