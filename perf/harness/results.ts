/**
 * What a run of the laboratory found: plain data, written as `results.json` and shown by every report. Nothing is computed anew from it but
 * what can be read off it.
 */
import type { Environment } from './environment.js';
import type { Interval } from './interval.js';

/** Who was measured. `limit`: what the machine can do at best; `peer`: what a team would build instead. */
export type Role = 'tether' | 'peer' | 'limit';

export interface Results {
  /** Of this format. A later one that reads differently has another number. */
  readonly format: 1;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly environment: Environment;
  readonly scenarios: readonly ScenarioResult[];
}

export interface ScenarioResult {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  /** Rounds and how long each measurement takes, what is interleaved with what, what is left out: a sentence each. */
  readonly method: readonly string[];
  readonly measures: readonly MeasureGroup[];
  readonly ratios: readonly Ratio[];
  readonly curves: readonly Curve[];
  /** What a reader must know before believing it: a load generator that was the bottleneck, a warm-up that never became steady. */
  readonly warnings: readonly string[];
  readonly seconds: number;
}

/** Figures that may be compared with one another: one unit, one place in a plot. */
export interface MeasureGroup {
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less' | 'neither';
  readonly measures: readonly Measure[];
}

export interface Measure {
  readonly subject: string;
  readonly role: Role;
  /** One value for each round. */
  readonly rounds: readonly number[];
  readonly interval: Interval;
}

/** Of two measures, round by round, so that what slows the machine down slows both down. */
export interface Ratio {
  readonly title: string;
  readonly rounds: readonly number[];
  readonly interval: Interval;
  readonly bar?: Bar;
  readonly verdict: Verdict;
}

export type Bar = { readonly atLeast: number } | { readonly atMost: number };

/**
 * `met` and `missed` say on which side of its bar the whole interval lies; `met-within-noise` and `missed-within-noise` on which side the
 * median lies, while the interval reaches over the bar. `none`: there is no bar.
 */
export type Verdict = 'met' | 'met-within-noise' | 'missed-within-noise' | 'missed' | 'none';

/** Lines in one plot: latency over percentiles, memory over time, a rate over the setting of a knob. */
export interface Curve {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export interface Axis {
  readonly title: string;
  readonly scale: 'linear' | 'log';
  /** Of single values, instead of what their number says: `99.9 %`. */
  readonly ticks?: readonly { readonly at: number; readonly label: string }[];
}

export interface Series {
  readonly name: string;
  readonly role: Role;
  readonly points: readonly (readonly [x: number, y: number])[];
}
