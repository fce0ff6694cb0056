/**
 * Secrets in files of their own, as Docker and Kubernetes hand them out: every secret key X can be given as `X_FILE`, the path of a
 * file that holds its value.
 *
 * - One final line end is cut off; more than one line is refused, as a URL would lose the break without a word.
 * - X and `X_FILE` at once are refused: which of the two holds would be a guess.
 * - A file that others may read is read, and warned of, and the doctor fails it. Not where container platforms hand secrets out: there it is
 *   readable by all by default, but by this container alone; the doctor warns.
 * - Nothing but a regular file is read, and at most `SECRET_FILE_BYTES_MAX` of it. A problem shows the path, never what stands there.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import { CONFIG_KEY_NAMES, CONFIG_KEYS, type ConfigKey } from './config-keys.js';
import { reasonOf } from './endpoints/references.js';

type Env = Readonly<Record<string, string | undefined>>;

interface ReadSecrets {
  /** As if each file's value had been given by its key; without the keys that name files. */
  readonly env: Env;
  /** Absolute paths of what was named, whether it could be read or not. */
  readonly files: ReadonlyMap<ConfigKey, string>;
  /** Keys whose file gives no value. */
  readonly refused: ReadonlySet<ConfigKey>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** More than any list of keys needs. */
const SECRET_FILE_BYTES_MAX = 65_536;
const ENDING = '_FILE';

/** The secret key whose file `name` names, if it names one. */
function keyOfFile(name: string): ConfigKey | undefined {
  return CONFIG_KEY_NAMES.find((key) => CONFIG_KEYS[key].secret && `${key}${ENDING}` === name);
}

/** The key that names the file of a secret. */
function fileKeyOf(key: ConfigKey): string {
  return `${key}${ENDING}`;
}

/** Reads every file that `env` names. Synchronous, for it is done once, before anything else, and the files are few and small. */
function readSecretFiles(env: Env): ReadSecrets {
  const read: Record<string, string | undefined> = { ...env };
  const files = new Map<ConfigKey, string>();
  const refused = new Set<ConfigKey>();
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const key of CONFIG_KEY_NAMES) {
    if (!CONFIG_KEYS[key].secret) continue;
    const name = fileKeyOf(key);
    const given = env[name];
    delete read[name];
    if (given === undefined || given === '') continue;
    const path = resolve(given);
    files.set(key, path);
    const value = env[key] ?? '';
    const found =
      value === '' ? readSecretFile(path) : { problem: `${key} is set as well: give one of the two` };
    if ('problem' in found) {
      problems.push(`${name}: ${found.problem}`);
      refused.add(key);
      continue;
    }
    read[key] = found.value;
    const others = whoElse(found.stats);
    if (others === 'change' || (others === 'read' && !isHandedOut(path))) {
      warnings.push(
        `${name}: ${path}: others may ${others} it; chmod 600, or 440 where a group hands it out`,
      );
    }
  }
  return { env: read, files, refused, problems, warnings };
}

type Found = { readonly value: string; readonly stats: Stats } | { readonly problem: string };

function readSecretFile(path: string): Found {
  let file: number;
  try {
    // A pipe without a writer would be waited for.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    return { problem: `${path} cannot be read: ${reasonOf(cause)}` };
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return { problem: `${path} is no regular file` };
    const bytes = Buffer.alloc(SECRET_FILE_BYTES_MAX + 1);
    let length = 0;
    for (let got = 1; got > 0 && length < bytes.length; length += got) {
      got = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > SECRET_FILE_BYTES_MAX)
      return { problem: `${path} is larger than ${SECRET_FILE_BYTES_MAX} bytes` };
    const value = new TextDecoder('utf-8', { fatal: true })
      .decode(bytes.subarray(0, length))
      .replace(/\r?\n$/, '');
    if (value === '') return { problem: `${path} is empty` };
    if (/[\r\n\0]/.test(value)) return { problem: `${path} has more than one line` };
    return { value, stats };
  } catch (cause) {
    // Of a decoder's message nothing is shown: it might quote.
    const reason = cause instanceof TypeError ? 'it is no UTF-8' : reasonOf(cause);
    return { problem: `${path} cannot be read: ${reason}` };
  } finally {
    closeSync(file);
  }
}

/** Whether it stands where container platforms put what only this container sees. */
function isHandedOut(path: string): boolean {
  return /^(\/var)?\/run\/secrets\//.test(path);
}

/** What users may do with a secret's file who are neither its owner nor in its group; of the group, only changing it counts. */
function whoElse({ mode }: Stats): 'change' | 'read' | undefined {
  if ((mode & 0o022) !== 0) return 'change';
  return (mode & 0o007) !== 0 ? 'read' : undefined;
}

export {
  fileKeyOf,
  isHandedOut,
  keyOfFile,
  type ReadSecrets,
  readSecretFiles,
  SECRET_FILE_BYTES_MAX,
  whoElse,
};
