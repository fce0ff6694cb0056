/** Ratios of the rates that the rounds gave: pure functions. */
import { type Comparison, MEAN } from './comparisons.js';

/** Subject, then benchmark, to messages a second, one for each round. What a subject lacks is absent. */
export type Rates = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;

export interface RatioRow {
  /** A benchmark, or `MEAN`. */
  readonly row: string;
  readonly rounds: readonly number[];
  /** The least median that is good enough; undefined: any is. */
  readonly atLeast: number | undefined;
}

/** Round by round. Rows are the benchmarks that both subjects have, and where there are several the mean of each round over them. */
export function ratiosOf(
  benchmarks: readonly string[],
  { over, under, bars }: Comparison,
  rates: Rates,
): readonly RatioRow[] {
  const atLeast = (row: string) => (bars as Readonly<Record<string, number | undefined>>)[row];
  const rows = benchmarks.flatMap((benchmark): RatioRow[] => {
    const mine = rates.get(over)?.get(benchmark) ?? [];
    const theirs = rates.get(under)?.get(benchmark) ?? [];
    // A subject that failed has no later rounds.
    const rounds = mine.slice(0, theirs.length).map((rate, round) => rate / (theirs[round] as number));
    return rounds.length === 0 ? [] : [{ row: benchmark, rounds, atLeast: atLeast(benchmark) }];
  });
  if (rows.length < 2) return rows;
  const rounds = Math.min(...rows.map((row) => row.rounds.length));
  const means = Array.from({ length: rounds }, (_, round) =>
    geometricMean(rows.map((row) => row.rounds[round] as number)),
  );
  return [...rows, { row: MEAN, rounds: means, atLeast: atLeast(MEAN) }];
}

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
