/** The processes that a process started, read from Linux's /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { hasCode } from '../../storage/journal/has-code.js';

/** The pids of `root` and of everything below it, parents first. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = Number(statFields(Number(name))[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch (error) {
      // It ended between the listing and the reading.
      if (!hasCode(error, 'ENOENT', 'ESRCH')) throw error;
    }
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** The program's name; empty when the process has ended since it was listed. */
export function commandName(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ESRCH')) throw error;
    return '';
  }
}

/** Fields of /proc/<pid>/stat from the third on: a name in brackets, which may hold anything, comes before. */
export function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
