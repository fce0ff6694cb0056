/** Whose the CPU time of a process was, by the profiles that Node's `--cpu-prof` leaves of each of its threads at its end. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of Node's, as V8 writes it: times in microseconds of the monotonic clock. */
export interface CpuProfile {
  readonly startTime: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  /** Ids of nodes, and how long after the one before each was taken. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export type Frame = CpuProfile['nodes'][number]['callFrame'];

/** What a thread was in at each sample, and for how long. @param fromUs what was before is left out, by `profileClockUs` */
export function* samplesOf(
  { startTime, nodes, samples, timeDeltas }: CpuProfile,
  fromUs: number,
): Generator<{ readonly frame: Frame; readonly us: number }, void, undefined> {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  let at = startTime;
  for (const [index, id] of samples.entries()) {
    const us = timeDeltas[index] ?? 0;
    at += us;
    const frame = frames.get(id);
    if (at >= fromUs && frame !== undefined) yield { frame, us };
  }
}

/** Not at work, or not in JavaScript. */
const NOT_BUSY: ReadonlySet<string> = new Set(['(idle)', '(program)']);

/** Microseconds of the clock that profiles have. */
export function profileClockUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/**
 * The share of functions in files that `isOf` says, of what all threads did in JavaScript and in garbage collection, from 0 to 1. What was inlined counts
 * as its own; garbage counts as nobody's.
 * @param fromUs by `profileClockUs`
 * @throws Error when nothing ran since
 */
export function cpuShare(directory: string, fromUs: number, isOf: (url: string) => boolean): number {
  let busy = 0;
  let of = 0;
  for (const name of readdirSync(directory)) {
    const profile: CpuProfile = JSON.parse(readFileSync(join(directory, name), 'utf8'));
    for (const { frame, us } of samplesOf(profile, fromUs)) {
      if (NOT_BUSY.has(frame.functionName)) continue;
      busy += us;
      if (isOf(frame.url)) of += us;
    }
  }
  if (busy === 0) throw new Error(`no profile in ${directory} has anything since then`);
  return of / busy;
}
