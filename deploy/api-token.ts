/**
 * The API token of the embedded default: made once, kept in `<data dir>/api-token`, readable by its owner only.
 *
 * Of two first starts at once both get the same.
 */
import { randomBytes } from 'node:crypto';
import { chmod, readFile, stat } from 'node:fs/promises';
import { hasCode } from '../storage/journal/has-code.js';
import { makeDirectory } from '../storage/make-directory.js';
import { createFile } from './create-file.js';
import { apiTokenFile } from './data-dir.js';
import { ConfigError } from './errors.js';

interface KeptToken {
  readonly token: string;
  readonly file: string;
}

const FORM = /^[A-Za-z0-9._~+/=-]{16,256}$/;

/** @throws ConfigError when the directory cannot be used or the file holds no token */
async function readOrCreateApiToken(dataDir: string): Promise<KeptToken> {
  try {
    await makeDirectory(dataDir, 0o700);
    const kept = (await readApiToken(dataDir)) ?? (await createApiToken(dataDir));
    await keepPrivate(kept.file);
    return kept;
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([`TETHER_DATA_DIR: the API token cannot be kept there: ${reason}`], { cause });
  }
}

/** The token that an embedded node keeps, or undefined when there is none. @throws ConfigError when it is no token */
async function readApiToken(dataDir: string): Promise<KeptToken | undefined> {
  const file = apiTokenFile(dataDir);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const token = text.trim();
  if (!FORM.test(token))
    throw new ConfigError([`${file} holds no token: remove it, and the next start makes one`]);
  return { token, file };
}

async function createApiToken(dataDir: string): Promise<KeptToken> {
  const file = apiTokenFile(dataDir);
  await createFile(file, `${randomBytes(32).toString('base64url')}\n`);
  const kept = await readApiToken(dataDir);
  if (kept === undefined) throw new ConfigError([`${file} vanished while it was made`]);
  return kept;
}

/** Takes from others what a copy or a careless umask gave them. */
async function keepPrivate(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) await chmod(file, 0o600);
}

export { type KeptToken, readApiToken, readOrCreateApiToken };
