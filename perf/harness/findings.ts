/** Puts together what a scenario found. */
import { type Interval, medianInterval } from './interval.js';
import { type LatencySummary, PERCENTILES } from './latencies.js';
import type { Bar, Curve, MeasureGroup, Ratio, Role, ScenarioResult, Series, Verdict } from './results.js';
import { spread } from './table.js';

/** Cores from which on a load generator may be what limits: it has one thread. */
const LOAD_CORES_MAX = 0.9;

/** A subject and what each round gave. */
export interface Runs {
  readonly subject: string;
  readonly role: Role;
  readonly rounds: readonly number[];
}

export class Findings {
  readonly #method: string[];
  readonly #measures: MeasureGroup[] = [];
  readonly #ratios: Ratio[] = [];
  readonly #curves: Curve[] = [];
  readonly #warnings = new Set<string>();

  /** @param method a sentence each */
  constructor(method: readonly string[]) {
    this.#method = [...method];
  }

  method(sentence: string): void {
    this.#method.push(sentence);
  }

  warn(text: string): void {
    this.#warnings.add(text);
  }

  /** Those without a value are left out; a group of none is too. */
  group(title: string, unit: string, better: MeasureGroup['better'], runs: readonly Runs[]): void {
    const measures = runs
      .filter(({ rounds }) => rounds.length > 0)
      .map((run) => ({ ...run, interval: medianInterval(run.rounds) }));
    if (measures.length > 0) this.#measures.push({ title, unit, better, measures });
  }

  /** Round by round, as far as both go. */
  ratio(title: string, over: readonly number[], under: readonly number[], bar?: Bar): void {
    const rounds = over.slice(0, under.length).map((value, round) => value / (under[round] as number));
    if (rounds.length > 0) this.quotient(title, rounds, bar);
  }

  /** Of values that are no ratios of two measures, but have a bar: a latency that must not pass a limit. */
  quotient(title: string, rounds: readonly number[], bar?: Bar): void {
    const interval = medianInterval(rounds);
    const ratio = { title, rounds, interval, verdict: verdictOf(interval, bar) };
    this.#ratios.push(bar === undefined ? ratio : { ...ratio, bar });
  }

  curve(curve: Curve): void {
    if (curve.series.length > 0) this.#curves.push(curve);
  }

  /** Latencies over percentiles; of several rounds the median of each percentile. */
  latencies(
    title: string,
    runs: readonly {
      readonly subject: string;
      readonly role: Role;
      readonly rounds: readonly LatencySummary[];
    }[],
  ): void {
    // 100 % lies at infinity on this axis, so the last but one is the last that is drawn.
    const drawn = PERCENTILES.slice(0, -1);
    const at = (percentile: number) => 1 / (1 - percentile / 100);
    this.curve({
      title,
      x: {
        title: 'percentile',
        scale: 'log',
        ticks: drawn.map((percentile) => ({ at: at(percentile), label: `${percentile} %` })),
      },
      y: { title: 'ms', scale: 'log' },
      series: runs
        .filter(({ rounds }) => rounds.length > 0)
        .map(
          ({ subject, role, rounds }): Series => ({
            name: subject,
            role,
            points: drawn.map((percentile, index) => [
              at(percentile),
              spread(rounds.map(({ percentilesMs }) => percentilesMs[index] as number)).median,
            ]),
          }),
        ),
    });
  }

  /** Warns when the generator itself may have been the limit. */
  loadCores(subject: string, cores: readonly number[]): void {
    const { median } = spread(cores);
    if (median < LOAD_CORES_MAX) return;
    this.warn(
      `${subject}: the load generator kept ${median.toFixed(2)} of its one core busy, so this could do more than is shown`,
    );
  }

  done(): Omit<ScenarioResult, 'name' | 'title' | 'seconds'> {
    return {
      method: this.#method,
      measures: this.#measures,
      ratios: this.#ratios,
      curves: this.#curves,
      warnings: [...this.#warnings],
    };
  }
}

export function verdictOf({ median, low, high }: Interval, bar: Bar | undefined): Verdict {
  if (bar === undefined) return 'none';
  if ('atLeast' in bar) {
    if (low >= bar.atLeast) return 'met';
    if (high < bar.atLeast) return 'missed';
    return median >= bar.atLeast ? 'met-within-noise' : 'missed-within-noise';
  }
  if (high <= bar.atMost) return 'met';
  if (low > bar.atMost) return 'missed';
  return median <= bar.atMost ? 'met-within-noise' : 'missed-within-noise';
}
