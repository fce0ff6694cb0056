/** Thresholds: what must hold of a metric at the end of a run (`p(95)<100`), and what ends a run early (`abortOnFail`). */
import { type Metric, type Metrics, MetricsError } from './metrics.js';

export interface ThresholdSetting {
  readonly threshold: string;
  readonly abortOnFail: boolean;
  /** So long after the start a failure ends nothing. */
  readonly delayAbortEvalMs: number;
}

/** Selector of a metric to its thresholds. */
export type ThresholdSettings = Readonly<Record<string, readonly ThresholdSetting[]>>;

export interface Threshold {
  readonly selector: string;
  readonly source: string;
  readonly metric: Metric;
  readonly abortOnFail: boolean;
  readonly delayAbortEvalMs: number;
  readonly holds: (seconds: number) => boolean;
}

const EXPRESSION = /^\s*([a-z]+(?:\(\s*\d+(?:\.\d+)?\s*\))?)\s*(<=|>=|===|==|!=|<|>)\s*(-?\d+(?:\.\d+)?)\s*$/;
const OPERATORS: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '==': (left, right) => left === right,
  '===': (left, right) => left === right,
  '!=': (left, right) => left !== right,
};
/** What a threshold may ask of each type of metric, as k6's grammar of thresholds has it. */
const AGGREGATES = {
  counter: /^(?:count|rate)$/,
  gauge: /^value$/,
  rate: /^rate$/,
  trend: /^(?:avg|min|max|med|p\(.*\))$/,
} as const;

/** @throws MetricsError when a metric is unknown, or a threshold is none or asks what the metric does not have */
export function parseThresholds(settings: ThresholdSettings, metrics: Metrics): readonly Threshold[] {
  return Object.entries(settings).flatMap(([selector, list]) => {
    const metric = metrics.select(selector);
    return list.map((setting): Threshold => {
      const source = setting.threshold;
      const { abortOnFail, delayAbortEvalMs } = setting;
      const holds = parse(source, selector, metric);
      return { selector, source, metric, abortOnFail, delayAbortEvalMs, holds };
    });
  });
}

function parse(source: string, selector: string, metric: Metric): (seconds: number) => boolean {
  const [, spaced = '', sign = '', limit] = EXPRESSION.exec(source) ?? [];
  const compare = OPERATORS[sign];
  if (compare === undefined)
    throw new MetricsError(`${selector}: the threshold ${source} is not of the form p(95)<100`);
  const aggregate = spaced.replaceAll(/\s/g, '');
  const { type } = metric.definition;
  if (!AGGREGATES[type].test(aggregate) || metric.value(aggregate, 1) === undefined)
    throw new MetricsError(`${selector} is a ${type}, and the threshold ${source} asks for its ${aggregate}`);
  return (seconds) => compare(metric.value(aggregate, seconds) ?? 0, Number(limit));
}

/** The thresholds that end the run now. Of a metric without a sample nothing is known yet. */
export function abortingNow(thresholds: readonly Threshold[], elapsedMs: number): readonly Threshold[] {
  return thresholds.filter(
    (threshold) =>
      threshold.abortOnFail &&
      elapsedMs >= threshold.delayAbortEvalMs &&
      !threshold.metric.isEmpty &&
      !threshold.holds(elapsedMs / 1_000),
  );
}
