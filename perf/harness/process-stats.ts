/** What processes use, read from Linux's /proc. */
import { readFileSync } from 'node:fs';
import { commandName, processTree, statFields } from '../../deploy/test/process-tree.js';
import { hasCode } from '../../storage/journal/has-code.js';

/** Ticks of /proc/<pid>/stat a second; 100 on every Linux that Node runs on. */
const TICKS = 100;

/** User and system CPU seconds of a process so far, all threads. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident bytes of a process and all that it started, but for programs of that name. */
export function residentBytesOfTree(root: number, leftOut: string): number {
  let bytes = 0;
  for (const pid of processTree(root)) {
    try {
      if (!commandName(pid).startsWith(leftOut)) bytes += residentBytes(pid);
    } catch (error) {
      // It ended since the tree was listed, as workers of Postgres do.
      if (!hasCode(error, 'ENOENT', 'ESRCH')) throw error;
    }
  }
  return bytes;
}

function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib ?? 0) * 1_024;
}
