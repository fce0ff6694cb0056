/** The tables of `npm run bench:actors`: pure functions of the rates that the rounds gave. */
import { type Spread, showSpread, spread, table } from '../table.js';
import { type Comparison, MEAN } from './comparisons.js';

/** Subject, then benchmark, to messages a second, one for each round. What a subject lacks is absent. */
export type Rates = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;

interface Column {
  readonly name: string;
  readonly title: string;
}

/** Thousands of messages a second, a row for each benchmark that any subject has. */
export function ratesTable(benchmarks: readonly string[], subjects: readonly Column[], rates: Rates): string {
  const rows = benchmarks.map((benchmark) => [
    benchmark,
    ...subjects.map(({ name }) => {
      const runs = rates.get(name)?.get(benchmark) ?? [];
      return runs.length === 0 ? '' : showThousands(spread(runs));
    }),
  ]);
  return table(['thousand messages/s', ...subjects.map(({ title }) => title)], rows.filter(isFilled));
}

/** Ratios round by round with their bars; empty when there is nothing to compare. */
export function ratiosTable(
  benchmarks: readonly string[],
  comparisons: readonly Comparison[],
  rates: Rates,
): string {
  const columns = comparisons
    .map((comparison) => ({ comparison, ratios: ratiosOf(benchmarks, comparison, rates) }))
    .filter(({ ratios }) => ratios.size > 0);
  if (columns.length === 0) return '';
  const rows = [...benchmarks, MEAN].map((row) => [
    row,
    ...columns.map(({ comparison, ratios }) => {
      const measured = ratios.get(row);
      const bar = barOf(comparison, row);
      if (measured === undefined) return '';
      return (
        showSpread(measured, measured.median < 0.1 ? 4 : 2) + (bar === undefined ? '' : `, at least ${bar}`)
      );
    }),
  ]);
  return table(
    ['ratio, round by round', ...columns.map(({ comparison }) => comparison.title)],
    rows.filter(isFilled),
  );
}

/** A line for each bar that the median of its ratio does not reach. */
export function missedBars(
  benchmarks: readonly string[],
  comparisons: readonly Comparison[],
  rates: Rates,
): readonly string[] {
  return comparisons.flatMap((comparison) =>
    [...ratiosOf(benchmarks, comparison, rates)].flatMap(([row, { median }]) => {
      const bar = barOf(comparison, row);
      if (bar === undefined || median >= bar) return [];
      return [`${comparison.title}, ${row}: ${median.toFixed(2)}, at least ${bar}`];
    }),
  );
}

/** Rows are the benchmarks that both have, and the mean of each round over them. */
function ratiosOf(
  benchmarks: readonly string[],
  { over, under }: Comparison,
  rates: Rates,
): ReadonlyMap<string, Spread> {
  const perBenchmark = new Map<string, readonly number[]>();
  for (const benchmark of benchmarks) {
    const mine = rates.get(over)?.get(benchmark) ?? [];
    const theirs = rates.get(under)?.get(benchmark) ?? [];
    // A subject that failed has no later rounds.
    const ratios = mine.slice(0, theirs.length).map((rate, round) => rate / (theirs[round] as number));
    if (ratios.length > 0) perBenchmark.set(benchmark, ratios);
  }
  const spreads = new Map([...perBenchmark].map(([benchmark, ratios]) => [benchmark, spread(ratios)]));
  if (perBenchmark.size > 1) {
    const columns = [...perBenchmark.values()];
    const rounds = Math.min(...columns.map((ratios) => ratios.length));
    const means = Array.from({ length: rounds }, (_, round) =>
      geometricMean(columns.map((ratios) => ratios[round] as number)),
    );
    spreads.set(MEAN, spread(means));
  }
  return spreads;
}

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

function showThousands({ median, min, max }: Spread): string {
  const thousands = { median: median / 1_000, min: min / 1_000, max: max / 1_000 };
  return showSpread(thousands, thousands.median < 100 ? 1 : 0);
}

const barOf = ({ bars }: Comparison, row: string): number | undefined =>
  (bars as Readonly<Record<string, number | undefined>>)[row];

const isFilled = ([, ...cells]: readonly string[]): boolean => cells.some((cell) => cell !== '');
