/**
 * Instructions by callgrind, of Debian's package valgrind: a machine in software, which counts each instruction of user space, compiled
 * JavaScript and native code alike. So a count does not depend on what else the machine does.
 *
 * The program under it marks the ends of blocks by calling `uv_uptime`, a function that nothing else calls; at each call callgrind writes what it
 * counted since the one before into a file of the next number. One process drives all functions, for to start Node takes 5 s there.
 *
 * Tried on Node 20: counts of two runs differ by less than 0.1 % with the flags of `programs.ts`; all functions take 30 to 45 s for a side on one
 * core. With `--predictable --predictable-gc-schedule` they came no closer, and some blocks were 7 % off. `--smc-check` is needed: V8 writes
 * code where it wrote other code before. Lackey counts the same twice as slowly, cachegrind knows no marks.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spread } from '../harness/table.js';
import { type Driving, parseDrivings } from './driving.js';
import { countCommand, outputOf } from './programs.js';
import type { Side } from './side.js';

const RUN_MS_MAX = 900_000;

/**
 * By name of the function; those that do not fit the side are not in it.
 * @param directory that may be filled, for this call alone
 * @param only the number of a function, when nothing else is to be counted
 */
export type CountInstructions = (
  side: Side,
  directory: string,
  signal: AbortSignal,
  only?: number,
) => Promise<ReadonlyMap<string, InstructionCount>>;

export interface InstructionCount {
  readonly perCall: number;
  /** Per cent that the blocks differ by: V8 was still compiling when it is much. */
  readonly unsettledPercent: number;
}

export const countByCallgrind: CountInstructions = async (side, directory, signal, only) => {
  const out = join(directory, 'callgrind');
  const callgrind = [
    '-q',
    '--tool=callgrind',
    '--smc-check=all-non-file',
    '--dump-line=no',
    '--dump-before=uv_uptime',
    `--callgrind-out-file=${out}`,
  ];
  const command = [...callgrind, process.execPath, ...countCommand(side, ['instructions', `${only ?? ''}`])];
  const stdout = await outputOf('valgrind', command, { timeoutMs: RUN_MS_MAX, signal });
  const total = (mark: number) => parseTotal(readFileSync(`${out}.${mark}`, 'utf8'));
  const counted = new Map<string, InstructionCount>();
  for (const driving of parseDrivings(stdout)) {
    const count = instructionsOf(driving, total);
    if (count !== undefined) counted.set(driving.name, count);
  }
  return counted;
};

/** The instructions that a file of callgrind's is about. @throws Error */
export function parseTotal(text: string): number {
  const total = /^totals: (\d+)$/m.exec(text)?.[1];
  if (total === undefined) throw new Error('a file of callgrind has no line of totals');
  return Number(total);
}

/** @param total instructions between a mark and the one before it */
export function instructionsOf(
  { calls, marks }: Driving,
  total: (mark: number) => number,
): InstructionCount | undefined {
  if (marks === undefined) return undefined;
  const [empty = 0, ...blocks] = marks.map(total);
  const { median, min, max } = spread(blocks.map((block) => (block - empty) / calls));
  return { perCall: median, unsettledPercent: ((max - min) / median) * 100 };
}
