/**
 * References to values that do not stand in a file of endpoints themselves: `env:NAME` and `file:/path` (one final line end is cut off). A problem
 * names the variable or the path, and never shows a value.
 */
import { readFile } from 'node:fs/promises';

type Env = Readonly<Record<string, string | undefined>>;
type Resolved = { readonly value: string } | { readonly problem: string };

const SECRET_BYTES_MAX = 4096;
const FILE = 'file:';

/** What `env:NAME` or `file:/path` refers to; any other text stands for itself. */
async function resolveReference(
  text: string,
  env: Env,
  fileBytesMax: number = SECRET_BYTES_MAX,
): Promise<Resolved> {
  if (text.startsWith('env:')) {
    const name = text.slice(4);
    if (name.startsWith('TETHER_')) {
      return { problem: `${name} cannot be referred to: names with TETHER_ are keys of the configuration` };
    }
    const value = env[name];
    return value === undefined || value === ''
      ? { problem: `the environment variable ${name} is not set` }
      : { value };
  }
  const path = fileOf(text);
  if (path === undefined) return { value: text };
  try {
    const value = (await readText(path, fileBytesMax)).replace(/\r?\n$/, '');
    return value === '' ? { problem: `${path} is empty` } : { value };
  } catch (cause) {
    return { problem: `${path} cannot be read: ${reasonOf(cause)}` };
  }
}

/** Whether a text says where its value is, and is no secret itself. */
function isReference(text: string): boolean {
  return text.startsWith('env:') || text.startsWith(FILE);
}

/** The path of a reference to a file. */
function fileOf(text: string): string | undefined {
  return text.startsWith(FILE) ? text.slice(FILE.length) : undefined;
}

/** @throws RangeError when it is larger, TypeError when it is no UTF-8, and what the file system throws */
async function readText(path: string, bytesMax: number): Promise<string> {
  const content = await readFile(path);
  if (content.length > bytesMax) throw new RangeError(`it is larger than ${bytesMax} bytes`);
  return new TextDecoder('utf-8', { fatal: true }).decode(content);
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code: unknown = Reflect.get(cause, 'code');
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this user may not read it';
  if (code === 'EISDIR') return 'it is a directory';
  return cause.message;
}

export { type Env, fileOf, isReference, readText, reasonOf, resolveReference, SECRET_BYTES_MAX };
