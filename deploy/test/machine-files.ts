/** Files of `deploy/` that an operator copies to machines, as a test uses them: with addresses and secrets of its own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DEPLOY = fileURLToPath(new URL('../../../deploy/', import.meta.url));

/**
 * @param changes what stands in the file, all of it, and what a test puts there
 * @throws Error (rejects) when one of them does not stand there: the file has changed, and the test would try another one
 */
export async function machineFile(
  path: string,
  changes: Readonly<Record<string, string>> = {},
): Promise<string> {
  let text = await readFile(join(DEPLOY, path), 'utf8');
  for (const [before, after] of Object.entries(changes)) {
    if (!text.includes(before)) throw new Error(`deploy/${path} has no ${before}`);
    text = text.replaceAll(before, after);
  }
  return text;
}
