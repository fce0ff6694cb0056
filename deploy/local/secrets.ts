/**
 * What the cluster's parts show one another, and its user them: made once, each kept in a file that only its owner reads.
 */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { ConfigError } from '../errors.js';

const FORM = /^[0-9a-f]{32,}$/;

/** The secret in `file`, which is made when it is not there. The directory is ours alone. @throws ConfigError */
export async function keptSecret(file: string): Promise<string> {
  try {
    await writeFile(file, `${randomBytes(24).toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'EEXIST') throw error;
  }
  const secret = (await readFile(file, 'utf8')).trim();
  // Cut off by a crash or changed by hand.
  if (!FORM.test(secret))
    throw new ConfigError([`${file} holds no secret: remove it, and the next start makes one`]);
  return secret;
}
