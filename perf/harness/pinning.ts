/**
 * Binds the load to cores of its own, so that it and what it measures do not take turns on one.
 *
 * With fewer than four cores nothing is bound: subjects of several processes or threads need two at least, and binding them to what the load
 * leaves would measure the binding.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

const CORES_MIN = 4;

export interface Pinning {
  /** For people; empty when nothing is bound. */
  readonly description: string;
  /** A command that runs `file` where the load belongs. */
  load(file: string, args: readonly string[]): { readonly file: string; readonly args: readonly string[] };
  /** Binds a process, with all its threads so far and those that they start. */
  subject(pid: number): Promise<void>;
}

/** Cores as `taskset` reads them: the last one for the load, the others for what is measured; undefined with fewer than four. */
export function coresFor(cores: number): { readonly load: string; readonly subject: string } | undefined {
  return cores < CORES_MIN ? undefined : { load: `${cores - 1}`, subject: `0-${cores - 2}` };
}

export function createPinning(cores = availableParallelism()): Pinning {
  const found = coresFor(cores);
  if (found === undefined) {
    return { description: '', load: (file, args) => ({ file, args }), subject: async () => undefined };
  }
  const { load, subject } = found;
  return {
    description: `load on core ${load}, what is measured on ${subject}`,
    load: (file, args) => ({ file: 'taskset', args: ['-c', load, file, ...args] }),
    subject: async (pid) => {
      await promisify(execFile)('taskset', ['-a', '-cp', subject, String(pid)]);
    },
  };
}
