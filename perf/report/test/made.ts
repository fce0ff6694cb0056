/** Parts of results that are made up. */
import { createRandom } from '../../../deploy/send/random.js';
import type { Interval } from '../../harness/interval.js';
import type {
  Bar,
  Curve,
  Measure,
  MeasureGroup,
  Ratio,
  Role,
  Series,
  Verdict,
} from '../../harness/results.js';
import { spread } from '../../harness/table.js';

const ROUNDS = 7;

/** Values around `middle`, `spread` of it to either side; the same ones for the same middle. */
function rounds(middle: number, spread: number, count = ROUNDS): readonly number[] {
  const random = createRandom(Math.round(middle * 1_000));
  return Array.from({ length: count }, () => middle * (1 + spread * (random.next() / 2 ** 31 - 1)));
}

/** From the second least to the second greatest: near enough to a bootstrap of seven rounds, and at once. */
function intervalOf(values: readonly number[]): Interval {
  const inner = values.length < 5 ? values : values.toSorted((a, b) => a - b).slice(1, -1);
  return { median: spread(values).median, low: Math.min(...inner), high: Math.max(...inner) };
}

function measure(subject: string, role: Role, values: readonly number[]): Measure {
  return { subject, role, rounds: values, interval: intervalOf(values) };
}

function group(
  title: string,
  unit: string,
  better: MeasureGroup['better'],
  measures: readonly Measure[],
): MeasureGroup {
  return { title, unit, better, measures };
}

function ratio(title: string, values: readonly number[], bar?: Bar, verdict: Verdict = 'none'): Ratio {
  const found = { title, rounds: values, interval: intervalOf(values), verdict };
  return bar === undefined ? found : { ...found, bar };
}

const PERCENTILES = [50, 75, 90, 95, 99, 99.9, 99.99, 99.999] as const;
const percentileAt = (percentile: number) => Number((1 / (1 - percentile / 100)).toPrecision(9));

/** Latencies over percentiles, one for each of `PERCENTILES`. */
function latencies(title: string, series: readonly (readonly [string, Role, readonly number[]])[]): Curve {
  return {
    title,
    x: {
      title: 'percentile',
      scale: 'log',
      ticks: PERCENTILES.map((percentile) => ({ at: percentileAt(percentile), label: `${percentile} %` })),
    },
    y: { title: 'ms', scale: 'log' },
    series: series.map(
      ([name, role, ms]): Series => ({
        name,
        role,
        points: PERCENTILES.map((percentile, at) => [percentileAt(percentile), ms[at] ?? Number.NaN]),
      }),
    ),
  };
}

export { group, latencies, measure, ratio, rounds };
