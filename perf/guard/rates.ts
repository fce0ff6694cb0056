/**
 * The rates of base and head, interleaved: a pair of processes is started, and in each round both are measured one after the other, in turn
 * the one and the other first; then the next pair, in turn started the one and the other first. What is compared is the ratio within a round,
 * which a machine that is busy with something else for a minute does not shift. What fails is measured again.
 */
import { join } from 'node:path';
import type { Interval } from '../harness/interval.js';
import { spread } from '../harness/table.js';
import type { Cleanup } from './cleanup.js';
import { groupedInterval } from './grouped-interval.js';
import type { GuardOptions } from './options.js';
import type { RateSubject, Running } from './rate-subjects.js';
import { NotThereError, type Side, type SideName } from './side.js';
import { rateVerdict, type Verdict } from './verdict.js';

export interface RateRow {
  readonly name: string;
  /** Medians, per second. */
  readonly base: number;
  readonly head: number;
  readonly ratio: Interval;
  readonly verdict: Verdict;
}

export interface Rates {
  readonly rows: readonly RateRow[];
  readonly notes: readonly string[];
}

type Round = Readonly<Record<SideName, number>>;

const WARM_UP_SECONDS = 1;

export async function compareRates(
  base: Side,
  head: Side,
  subjects: readonly RateSubject[],
  directory: string,
  options: GuardOptions,
  cleanup: Cleanup,
  note: (text: string) => void,
): Promise<Rates> {
  const rows: RateRow[] = [];
  const notes: string[] = [];
  let places = 0;
  const measured = async (subject: RateSubject): Promise<readonly RateRow[]> => {
    const pairs: (readonly (readonly Round[])[])[] = [];
    for (let pair = 0; pair < options.pairs; pair++) {
      const sides = pair % 2 === 0 ? [base, head] : [head, base];
      pairs.push(await measurePair(subject, sides, join(directory, `pair-${++places}`), options, cleanup));
      note(`${subject.measures.join(' and ')}: pair ${pair + 1} of ${options.pairs}`);
    }
    return subject.measures.map((name, measure) => {
      const rounds = pairs.map((pair) => pair[measure] ?? []);
      return rowOf(name, rounds, options.lossPercentMax);
    });
  };
  for (const subject of subjects) {
    try {
      const first = await measured(subject);
      if (!first.some(({ verdict }) => verdict.fails)) {
        rows.push(...first);
        continue;
      }
      // Of several intervals of 95 % one is now and then wrong: what fails has to fail in other processes too.
      note(`${subject.measures.join(' and ')}: a loss, so it is measured again`);
      const second = await measured(subject);
      rows.push(...first.map((row, at) => (row.verdict.fails ? (second[at] ?? row) : row)));
    } catch (error) {
      if (!(error instanceof NotThereError)) throw error;
      notes.push(`${subject.measures.join(' and ')}: ${error.message}`);
    }
  }
  return { rows, notes };
}

/** The rounds of each measure. */
async function measurePair(
  subject: RateSubject,
  sides: readonly Side[],
  place: string,
  { rounds, seconds }: GuardOptions,
  cleanup: Cleanup,
): Promise<readonly (readonly Round[])[]> {
  const running: {
    readonly name: SideName;
    readonly process: Running;
    readonly stop: () => Promise<void>;
  }[] = [];
  try {
    for (const side of sides) {
      cleanup.signal.throwIfAborted();
      const process = await subject.start(side, `${place}-${side.name}`);
      running.push({ name: side.name, process, stop: cleanup.add(() => process.stop()) });
    }
    for (const { process } of running) {
      for (const measure of subject.measures.keys()) await process.rate(measure, WARM_UP_SECONDS);
    }
    const found: Round[][] = subject.measures.map(() => []);
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? running : [...running].reverse();
      for (const measure of subject.measures.keys()) {
        const rates = { base: 0, head: 0 };
        for (const { name, process } of order) {
          cleanup.signal.throwIfAborted();
          rates[name] = await process.rate(measure, seconds);
        }
        found[measure]?.push(rates);
      }
    }
    return found;
  } finally {
    for (const { stop } of running) await stop();
  }
}

/** @param pairs rounds of each pair of processes */
function rowOf(name: string, pairs: readonly (readonly Round[])[], lossPercentMax: number): RateRow {
  const median = (side: SideName) => spread(pairs.flat().map((round) => round[side])).median;
  const ratio = groupedInterval(pairs.map((rounds) => rounds.map(({ base, head }) => head / base)));
  return {
    name,
    base: median('base'),
    head: median('head'),
    ratio,
    verdict: rateVerdict(ratio, lossPercentMax),
  };
}
