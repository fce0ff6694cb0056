/** The files below a directory, in the order of their paths. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

interface FoundFile {
  readonly path: string;
  /** Below the directory, for messages. */
  readonly shown: string;
  readonly bytes: number;
}

interface FoundFiles {
  readonly files: readonly FoundFile[];
  readonly bytes: number;
  /** What is there and is not taken, each with the reason. */
  readonly left: readonly { readonly shown: string; readonly reason: string }[];
}

/** A list of so many is kept in memory; whoever has more does it directory by directory. */
const FILES_MAX = 1_000_000;

/**
 * Links are not followed: what they lead to would be moved from where its owner expects it.
 * @throws what the system says of `directory` itself, RangeError beyond `FILES_MAX`
 */
async function findFiles(directory: string): Promise<FoundFiles> {
  const files: FoundFile[] = [];
  const left: { shown: string; reason: string }[] = [];
  const pending: string[] = [directory];
  let bytes = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const entries = await entriesOf(next, directory, left);
    const below: string[] = [];
    for (const entry of entries) {
      const path = join(next, entry.name);
      const shown = relative(directory, path);
      if (entry.isDirectory()) below.push(path);
      else if (!entry.isFile()) left.push({ shown, reason: entry.isSymbolicLink() ? 'a link' : 'no file' });
      else {
        const found = await stat(path).catch((error: Error) => error);
        if (found instanceof Error) left.push({ shown, reason: found.message });
        else {
          files.push({ path, shown, bytes: found.size });
          bytes += found.size;
        }
      }
      if (files.length > FILES_MAX) {
        throw new RangeError(`more than ${FILES_MAX} files; import its directories one after the other`);
      }
    }
    pending.push(...below.reverse());
  }
  files.sort((a, b) => (a.shown < b.shown ? -1 : 1));
  return { files, bytes, left };
}

async function entriesOf(
  path: string,
  root: string,
  left: { shown: string; reason: string }[],
): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (path === root) throw error;
    left.push({
      shown: relative(root, path),
      reason: error instanceof Error ? error.message : String(error),
    });
    return [];
  }
}

export { type FoundFile, type FoundFiles, findFiles };
