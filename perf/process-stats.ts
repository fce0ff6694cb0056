/** What processes use, read from Linux's /proc. */
import { readFileSync } from 'node:fs';
import { statFields } from '../deploy/test/process-tree.js';

/** Ticks of /proc/<pid>/stat a second; 100 on every Linux that Node runs on. */
const TICKS = 100;

/** User and system CPU seconds of a process so far, all threads. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib ?? 0) * 1_024;
}
