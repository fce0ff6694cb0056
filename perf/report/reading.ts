/** What every report reads off the results in the same way: order, limits, verdicts, and the words for them. */
import type { Bar, Measure, MeasureGroup, Ratio, Results, Verdict } from '../harness/results.js';
import { isFigure, showNumber, showTick } from './numbers.js';

export const VERDICTS: Readonly<Record<Verdict, string>> = {
  missed: 'missed',
  'missed-within-noise': 'missed, within noise: the interval reaches over the bar',
  'met-within-noise': 'met, within noise',
  met: 'met',
  none: 'no bar',
};

export const BETTER: Readonly<Record<MeasureGroup['better'], string>> = {
  more: 'more is better',
  less: 'less is better',
  neither: '',
};

export function showBar(bar: Bar | undefined): string {
  if (bar === undefined) return '';
  return 'atLeast' in bar ? `at least ${showTick(bar.atLeast)}` : `at most ${showTick(bar.atMost)}`;
}

/** Best first; as they are given where neither is better. What is no figure stands last. */
export function ranked({ better, measures }: MeasureGroup): readonly Measure[] {
  if (better === 'neither') return measures;
  const sign = better === 'more' ? -1 : 1;
  const rank = ({ interval }: Measure) =>
    isFigure(interval.median) ? sign * interval.median : Number.POSITIVE_INFINITY;
  return measures.toSorted((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    return left === right ? 0 : left - right;
  });
}

/** Of several limits the one that is hardest to reach holds for all: of rates the lowest, of times the longest. */
export function limitOf({ better, measures }: MeasureGroup): Measure | undefined {
  if (better === 'neither') return undefined;
  const limits = measures.filter(({ role, interval }) => role === 'limit' && interval.median > 0);
  const sorted = limits.toSorted((a, b) => a.interval.median - b.interval.median);
  return better === 'more' ? sorted[0] : sorted.at(-1);
}

/** How many times better than its bar a value is: 1 on the bar, below 1 on the wrong side of it. */
export function margin(value: number, bar: Bar): number {
  const isReached = value === ('atLeast' in bar ? bar.atLeast : bar.atMost);
  // Of nothing where nothing is allowed, too.
  if (isReached) return 1;
  return 'atLeast' in bar ? value / bar.atLeast : bar.atMost / value;
}

export interface Judged {
  readonly scenario: string;
  readonly ratio: Ratio;
}

const ORDER = Object.keys(VERDICTS);

/** The ratios of all scenarios, missed ones first, and of one verdict the nearest to its bar first. */
export function judged({ scenarios }: Results): readonly Judged[] {
  const all = scenarios.flatMap(({ name, ratios }) => ratios.map((ratio) => ({ scenario: name, ratio })));
  const nearness = ({ bar, interval }: Ratio) =>
    bar === undefined || Number.isNaN(interval.median) ? 0 : Math.log(margin(interval.median, bar));
  return all.toSorted((a, b) => {
    const byVerdict = ORDER.indexOf(a.ratio.verdict) - ORDER.indexOf(b.ratio.verdict);
    const [left, right] = [nearness(a.ratio), nearness(b.ratio)];
    return byVerdict !== 0 || left === right ? byVerdict : left - right;
  });
}

const SHORT: Readonly<Record<Exclude<Verdict, 'none'>, string>> = {
  missed: 'missed',
  'missed-within-noise': 'missed within noise',
  'met-within-noise': 'met within noise',
  met: 'met',
};

/** `9 bars: 1 missed, 8 met`; of no bars empty. */
export function showVerdicts(results: Results): string {
  const verdicts = judged(results).map(({ ratio }) => ratio.verdict);
  const counts = Object.entries(SHORT).flatMap(([verdict, word]) => {
    const count = verdicts.filter((one) => one === verdict).length;
    return count === 0 ? [] : [{ count, word }];
  });
  const bars = counts.reduce((sum, { count }) => sum + count, 0);
  if (bars === 0) return '';
  const parts = counts.map(({ count, word }) => `${count} ${word}`).join(', ');
  return `${bars} bar${bars === 1 ? '' : 's'}: ${parts}`;
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

const GIB = 2 ** 30;
/** From here on something else is at work on the machine. */
const LOAD_MAX = 0.5;

export function environmentFacts({ environment, startedAt }: Results): readonly Fact[] {
  const { loadBefore, commit } = environment;
  const load = Number.isNaN(loadBefore) ? '' : loadBefore.toFixed(2);
  const facts: readonly Fact[] = [
    { name: 'started', value: startedAt },
    { name: 'CPU', value: environment.cpu },
    { name: 'cores', value: String(environment.cores) },
    { name: 'memory', value: `${showNumber(environment.memoryBytes / GIB)} GiB` },
    { name: 'kernel', value: environment.kernel },
    { name: 'file system of the data', value: environment.fileSystem },
    { name: 'Node', value: environment.node },
    ...Object.entries(environment.programs).map(([name, value]) => ({ name, value })),
    {
      name: 'commit',
      value: commit.endsWith('+') ? `${commit.slice(0, -1)}, with changes that are not committed` : commit,
    },
    { name: 'pinning', value: environment.pinning === '' ? 'not bound' : environment.pinning },
    {
      name: 'load in the minute before',
      value: loadBefore > LOAD_MAX ? `${load}: something else was at work` : load,
    },
  ];
  return facts.map(({ name, value }) => ({ name, value: value === '' ? 'unknown' : value }));
}

/** Units are given in ASCII; where there are other letters a microsecond is written as people write it. */
export function showUnit(unit: string): string {
  return unit.replaceAll(/\bus\b/g, 'µs');
}
