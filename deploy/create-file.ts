/**
 * Makes a file that only its owner reads, for secrets that are made once and kept.
 *
 * It appears whole or not at all (written under another name, then linked): a crash leaves no empty one, and who reads it while it is made
 * reads what was meant.
 */
import { randomBytes } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { hasCode } from '../storage/journal/has-code.js';

/** A file that is there already is left as it is. @throws what the operating system says */
export async function createFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
    await link(temporary, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await handle.close();
    await rm(temporary, { force: true });
  }
}
