/** The hot functions of base and head, counted: instructions and allocated bytes per call. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CountInstructions, countByCallgrind, type InstructionCount } from './callgrind.js';
import type { Cleanup } from './cleanup.js';
import { parseDrivings } from './driving.js';
import { countByPerf, perfCounts } from './perf-stat.js';
import { countCommand, outputOf, works } from './programs.js';
import type { Side, SideName } from './side.js';
import { type Count, countVerdict, type Verdict } from './verdict.js';

const BYTES_MS_MAX = 300_000;
/** Blocks of a function that V8 was done with differ by a tenth of a per cent. */
const UNSETTLED_PERCENT_MAX = 1;

/** A function and what is counted of it. */
export interface CountRow {
  readonly name: string;
  readonly count: Count;
  readonly base: number;
  readonly head: number;
  readonly verdict: Verdict;
}

export interface Counts {
  readonly rows: readonly CountRow[];
  /** Why something is not compared. */
  readonly notes: readonly string[];
}

/** @param directory of which the caller is rid at the end */
export async function compareCounts(
  base: Side,
  head: Side,
  directory: string,
  lossPercentMax: number,
  cleanup: Cleanup,
  note: (text: string) => void,
): Promise<Counts> {
  const { signal } = cleanup;
  const notes: string[] = [];
  const sides = { base, head };
  const drivings = { base: await drive(base, signal), head: await drive(head, signal) };
  const rows: CountRow[] = [];
  const compare = (name: string, count: Count, values: Readonly<Record<SideName, number>>) =>
    rows.push({
      name,
      count,
      ...values,
      verdict: countVerdict(count, values.base, values.head, lossPercentMax),
    });

  for (const { name, bytes: ofHead = 0 } of drivings.head) {
    const { bytes: ofBase, why } = drivings.base.find((driving) => driving.name === name) ?? {};
    if (ofBase === undefined) notes.push(`${name}: ${why ?? 'not in base'}`);
    else compare(name, 'bytes', { base: ofBase, head: ofHead });
  }
  const countInstructions = await instructionCounter(directory, signal, note);
  if (countInstructions === undefined) {
    notes.push(
      'instructions were not counted: there is neither valgrind (the Debian package of that name) nor a perf that can read the counters',
    );
    return { rows, notes };
  }
  let places = 0;
  const countBoth = async (only?: number) => {
    const countedOf = async (side: SideName) => {
      const place = join(directory, `counts-${++places}`);
      mkdirSync(place);
      return countInstructions(sides[side], place, signal, only);
    };
    return { base: await countedOf('base'), head: await countedOf('head') };
  };
  note('counting instructions');
  const counted = await countBoth();
  for (const [at, { name }] of drivings.head.entries()) {
    const first = instructionsRow(name, counted, lossPercentMax);
    if (first === undefined) continue;
    // What is compiled before it may colour a function: a loss is one when it is there in a process of its own too.
    const suspicious = typeof first === 'string' || first.verdict.kind === 'loss';
    if (suspicious) note(`${name}: counting again, alone`);
    const row = suspicious ? instructionsRow(name, await countBoth(at), lossPercentMax) : first;
    if (typeof row === 'string') notes.push(row);
    else if (row !== undefined) rows.push(row);
  }
  return { rows, notes };
}

/** Undefined when it was not counted on both sides; why, when it cannot be compared. */
function instructionsRow(
  name: string,
  counted: Readonly<Record<SideName, ReadonlyMap<string, InstructionCount>>>,
  lossPercentMax: number,
): CountRow | string | undefined {
  const [base, head] = [counted.base.get(name), counted.head.get(name)];
  if (base === undefined || head === undefined) return undefined;
  const unsettled = Math.max(base.unsettledPercent, head.unsettledPercent);
  if (unsettled > UNSETTLED_PERCENT_MAX) {
    return `${name}: its instructions differ by ${unsettled.toFixed(1)} % from block to block (V8 goes on compiling it)`;
  }
  const verdict = countVerdict('instructions', base.perCall, head.perCall, lossPercentMax);
  return { name, count: 'instructions', base: base.perCall, head: head.perCall, verdict };
}

async function drive(side: Side, signal: AbortSignal) {
  const command = countCommand(side, ['bytes']);
  return parseDrivings(await outputOf(process.execPath, command, { timeoutMs: BYTES_MS_MAX, signal }));
}

/** Valgrind before perf: it counts the same each time. */
async function instructionCounter(
  directory: string,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<CountInstructions | undefined> {
  if (await works('valgrind', ['--version'], signal)) {
    note('instructions are counted by valgrind');
    return countByCallgrind;
  }
  if (await perfCounts(directory, signal)) {
    note('instructions are counted by perf');
    return countByPerf;
  }
  return undefined;
}
