/** Programs of the machine and of Node that the guard waits for, each with a deadline. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Side } from './side.js';

/** Of stdout, and of stderr. */
const OUTPUT_BYTES_MAX = 4 * 1_048_576;
const ASK_MS_MAX = 10_000;

const COUNT_PROGRAM = fileURLToPath(new URL('./count-program.js', import.meta.url));

/**
 * What makes V8 do the same each time: compiled when it is due and not when another thread is ready, hashes that are the same, nothing
 * forgotten, and room for all that a block allocates, so that nothing is collected in it.
 */
const SAME_EACH_TIME = [
  '--single-threaded',
  '--hash-seed=1',
  '--random-seed=1',
  '--no-flush-bytecode',
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  '--expose-gc',
];

export interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Stdout. @throws Error (rejects) when it fails or is not done in time */
export async function outputOf(
  file: string,
  args: readonly string[],
  { timeoutMs, signal }: Limits,
): Promise<string> {
  // A way to have Node do more than it is told would be counted along.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const options = { timeout: timeoutMs, signal, env, maxBuffer: OUTPUT_BYTES_MAX };
  const { stdout } = await promisify(execFile)(file, args, options);
  return stdout;
}

/** Whether a program is there and does that without an error. */
export async function works(file: string, args: readonly string[], signal: AbortSignal): Promise<boolean> {
  try {
    await outputOf(file, args, { timeoutMs: ASK_MS_MAX, signal });
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

/** What Node is called with to drive the hot functions of a side. */
export function countCommand(side: Side, what: readonly string[]): readonly string[] {
  return [...SAME_EACH_TIME, COUNT_PROGRAM, side.dist, side.name, ...what];
}
