/** On what a run was made: without it its figures say nothing. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

export interface Environment {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  /** Type of the file system that the data lies on, as in /proc/mounts. */
  readonly fileSystem: string;
  /** Of the machine over the minute before the run: above 0.5 something else is at work. */
  readonly loadBefore: number;
  /** Commit of the sources, with `+` when they were changed since; empty outside of a checkout. */
  readonly commit: string;
  /** Programs beside Node, with their versions. */
  readonly programs: Readonly<Record<string, string>>;
  /** Which cores the load and what it measures were bound to; empty where they were not. */
  readonly pinning: string;
}

const VERSION_MS_MAX = 10_000;

/**
 * @param directory where the data will lie
 * @param programs names of programs to tell the versions of; one that is not there is left out
 */
export function readEnvironment(
  directory: string,
  programs: readonly string[],
  pinning: string,
): Environment {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    fileSystem: fileSystemOf(directory, readFileSync('/proc/mounts', 'utf8')),
    loadBefore: loadavg()[0] ?? Number.NaN,
    commit: commit(),
    programs: Object.fromEntries(
      programs.flatMap((name) => {
        const version = versionOf(name);
        return version === undefined ? [] : [[name, version]];
      }),
    ),
    pinning,
  };
}

/** Of the mount with the longest path above `directory`, in the text of /proc/mounts. */
export function fileSystemOf(directory: string, mounts: string): string {
  let found = { path: '', type: 'unknown' };
  for (const line of mounts.split('\n')) {
    const [, path = '', type = ''] = line.split(' ');
    const isAbove = path === '/' || directory === path || directory.startsWith(`${path}/`);
    // The later of two on one path hides the earlier.
    if (path !== '' && isAbove && path.length >= found.path.length) found = { path, type };
  }
  return found.type;
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+';
    return git('rev-parse', '--short', 'HEAD') + changed;
  } catch {
    return '';
  }
}

/** The first number with a dot in what the program says of itself; some say it with a failure. */
function versionOf(name: string): string | undefined {
  const { stdout, stderr, error } = spawnSync(name, [name === 'wrk' ? '-v' : '--version'], {
    encoding: 'utf8',
    timeout: VERSION_MS_MAX,
  });
  if (error !== undefined) return undefined;
  return /\d+\.\d[\w.]*/.exec(`${stdout}${stderr}`)?.[0] ?? '';
}
