/**
 * What the cluster's parts show one another, and its user them: made once, each kept in a file that only its owner reads.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hasCode } from '../../storage/journal/has-code.js';
import { createFile } from '../create-file.js';
import { ConfigError } from '../errors.js';

const FORM = /^[0-9a-f]{32,}$/;

/** The secret in `file`, which is made when it is not there. The directory is ours alone. @throws ConfigError */
export async function keptSecret(file: string): Promise<string> {
  const secret = (await readIfThere(file)) ?? (await create(file));
  // Changed by hand.
  if (!FORM.test(secret))
    throw new ConfigError([`${file} holds no secret: remove it, and the next start makes one`]);
  return secret;
}

async function create(file: string): Promise<string> {
  await createFile(file, `${randomBytes(24).toString('hex')}\n`);
  // Another part may have made it at the same moment.
  return (await readFile(file, 'utf8')).trim();
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
