/**
 * Instructions by the counters of the processor, read by Debian's `perf` (package linux-perf): for machines without valgrind whose counters can be
 * read, which those of most virtual machines cannot. Whole processes are counted, of one block and of three, and the difference is of two
 * blocks.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CountInstructions, InstructionCount } from './callgrind.js';
import { parseDrivings } from './driving.js';
import { HOT_FUNCTIONS } from './hot/index.js';
import { countCommand, type Limits, outputOf } from './programs.js';

const RUN_MS_MAX = 60_000;
const EVENT = 'instructions:u';

/** Whether the counter can be read. */
export async function perfCounts(directory: string, signal: AbortSignal): Promise<boolean> {
  try {
    await perfStat(directory, ['true'], { timeoutMs: RUN_MS_MAX, signal });
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

export const countByPerf: CountInstructions = async (side, directory, signal, only) => {
  const counted = new Map<string, InstructionCount>();
  for (const [at, { name, calls }] of HOT_FUNCTIONS.entries()) {
    if (only !== undefined && at !== only) continue;
    const count = async (blocks: number) => {
      const command = [process.execPath, ...countCommand(side, ['blocks', `${at}`, `${blocks}`])];
      const { stdout, instructions } = await perfStat(directory, command, { timeoutMs: RUN_MS_MAX, signal });
      return parseDrivings(stdout).some(({ why }) => why !== undefined) ? undefined : instructions;
    };
    const [one, three] = [await count(1), await count(3)];
    if (one !== undefined && three !== undefined) {
      counted.set(name, { perCall: (three - one) / 2 / calls, unsettledPercent: 0 });
    }
  }
  return counted;
};

async function perfStat(directory: string, command: readonly string[], limits: Limits) {
  const file = join(directory, 'perf-stat');
  const stdout = await outputOf('perf', ['stat', '-x,', '-o', file, '-e', EVENT, '--', ...command], limits);
  return { stdout, instructions: parsePerfStat(readFileSync(file, 'utf8')) };
}

/** Of what `perf stat -x,` writes: value, unit, event, and more. @throws Error when the counter was not read */
export function parsePerfStat(text: string): number {
  const line = text.split('\n').find((candidate) => candidate.split(',')[2] === EVENT);
  const value = line?.split(',')[0] ?? '';
  if (!/^\d+$/.test(value)) throw new Error(`perf did not count ${EVENT}: ${line ?? text}`);
  return Number(value);
}
