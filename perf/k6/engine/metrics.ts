/**
 * The metrics of a run: k6's own and the script's, and the sub-metrics that thresholds name by tags (`http_req_duration{scenario:burst}`).
 *
 * A metric without a sample has 0 for everything, as in k6: `rate<0.01` holds of it, and `count>0` does not.
 */
import { Trend } from './trend.js';

export type MetricType = 'counter' | 'gauge' | 'rate' | 'trend';
export type Contains = 'default' | 'time' | 'data';
export type Tags = Readonly<Record<string, string>>;

export interface MetricDefinition {
  readonly name: string;
  readonly type: MetricType;
  readonly contains: Contains;
}

export interface Sample {
  readonly metric: string;
  readonly value: number;
  readonly tags: Tags;
}

/** What `handleSummary` and thresholds read: `count`, `rate`, `avg`, `p(95)`, ... */
export type Values = Readonly<Record<string, number>>;

interface Sink {
  add(value: number): void;
  readonly isEmpty: boolean;
  /** @param name such as `rate` or `p(99.9)`; undefined when this type of metric has none of that name */
  value(name: string, seconds: number): number | undefined;
  names(trendStats: readonly string[]): readonly string[];
}

export const BUILT_IN: readonly MetricDefinition[] = [
  { name: 'checks', type: 'rate', contains: 'default' },
  { name: 'data_received', type: 'counter', contains: 'data' },
  { name: 'data_sent', type: 'counter', contains: 'data' },
  { name: 'dropped_iterations', type: 'counter', contains: 'default' },
  { name: 'http_req_blocked', type: 'trend', contains: 'time' },
  { name: 'http_req_duration', type: 'trend', contains: 'time' },
  { name: 'http_req_failed', type: 'rate', contains: 'default' },
  { name: 'http_req_receiving', type: 'trend', contains: 'time' },
  { name: 'http_req_waiting', type: 'trend', contains: 'time' },
  { name: 'http_reqs', type: 'counter', contains: 'default' },
  { name: 'iteration_duration', type: 'trend', contains: 'time' },
  { name: 'iterations', type: 'counter', contains: 'default' },
  { name: 'vus', type: 'gauge', contains: 'default' },
  { name: 'vus_max', type: 'gauge', contains: 'default' },
];

const PERCENTILE = /^p\((\d+(?:\.\d+)?)\)$/;
const SELECTOR = /^([A-Za-z_]\w{0,127})(?:\{(.*)\})?$/;

export class MetricsError extends Error {}

export class Metric {
  readonly definition: MetricDefinition;
  /** What a sample must have to count; undefined: any. */
  readonly tags: Tags | undefined;
  readonly #sink: Sink;

  constructor(definition: MetricDefinition, tags?: Tags) {
    this.definition = definition;
    this.tags = tags;
    this.#sink = SINKS[definition.type]();
  }

  get isEmpty(): boolean {
    return this.#sink.isEmpty;
  }

  add(value: number): void {
    this.#sink.add(value);
  }

  /** @returns undefined when a metric of this type has no such value */
  value(name: string, seconds: number): number | undefined {
    return this.#sink.value(name, seconds);
  }

  values(trendStats: readonly string[], seconds: number): Values {
    const names = this.#sink.names(trendStats);
    return Object.fromEntries(names.map((name) => [name, this.#sink.value(name, seconds) ?? 0]));
  }

  takes(tags: Tags): boolean {
    const wanted = this.tags;
    return wanted === undefined || Object.keys(wanted).every((name) => tags[name] === wanted[name]);
  }
}

export class Metrics {
  /** By name, and sub-metrics by `name{tag:value}`. */
  readonly #all = new Map<string, Metric>();
  readonly #byName = new Map<string, Metric[]>();

  constructor() {
    for (const definition of BUILT_IN) this.define(definition);
    this.select('http_req_duration{expected_response:true}');
  }

  /** @throws MetricsError when the name stands for something else */
  define(definition: MetricDefinition): void {
    const known = this.#all.get(definition.name)?.definition;
    if (known !== undefined) {
      if (known.type === definition.type && known.contains === definition.contains) return;
      throw new MetricsError(`metric ${definition.name} is a ${known.type} already`);
    }
    const metric = new Metric(definition);
    this.#all.set(definition.name, metric);
    this.#byName.set(definition.name, [metric]);
  }

  /** @param selector `name` or `name{tag:value,...}` @throws MetricsError when there is no such metric */
  select(selector: string): Metric {
    const known = this.#all.get(selector);
    if (known !== undefined) return known;
    const [, name = '', tagText] = SELECTOR.exec(selector) ?? [];
    const parent = this.#all.get(name);
    const siblings = this.#byName.get(name);
    if (parent === undefined || siblings === undefined || tagText === undefined)
      throw new MetricsError(`there is no metric ${selector}`);
    const metric = new Metric(parent.definition, parseTags(tagText, selector));
    this.#all.set(selector, metric);
    siblings.push(metric);
    return metric;
  }

  /** @throws MetricsError when there is no such metric */
  add(name: string, value: number, tags: Tags): void {
    const metrics = this.#byName.get(name);
    if (metrics === undefined) throw new MetricsError(`there is no metric ${name}`);
    for (const metric of metrics) if (metric.takes(tags)) metric.add(value);
  }

  entries(): Iterable<readonly [string, Metric]> {
    return this.#all.entries();
  }
}

function parseTags(text: string, selector: string): Tags {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const colon = pair.indexOf(':');
      if (colon < 1) throw new MetricsError(`${selector}: tags are written {name:value,...}`);
      return [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
    }),
  );
}

const SINKS: Readonly<Record<MetricType, () => Sink>> = {
  counter() {
    let count = 0;
    let isEmpty = true;
    return {
      get isEmpty() {
        return isEmpty;
      },
      add(value) {
        count += value;
        isEmpty = false;
      },
      value(name, seconds) {
        if (name === 'count') return count;
        if (name === 'rate') return seconds > 0 ? count / seconds : 0;
        return undefined;
      },
      names: () => ['count', 'rate'],
    };
  },
  gauge() {
    const values = { value: 0, min: 0, max: 0 };
    let isEmpty = true;
    return {
      get isEmpty() {
        return isEmpty;
      },
      add(value) {
        values.min = isEmpty ? value : Math.min(values.min, value);
        values.max = isEmpty ? value : Math.max(values.max, value);
        values.value = value;
        isEmpty = false;
      },
      value: (name) => (name === 'value' || name === 'min' || name === 'max' ? values[name] : undefined),
      names: () => ['value', 'min', 'max'],
    };
  },
  rate() {
    let passes = 0;
    let total = 0;
    return {
      get isEmpty() {
        return total === 0;
      },
      add(value) {
        total += 1;
        if (value !== 0) passes += 1;
      },
      value(name) {
        if (name === 'rate') return total === 0 ? 0 : passes / total;
        if (name === 'passes') return passes;
        if (name === 'fails') return total - passes;
        return undefined;
      },
      names: () => ['rate', 'passes', 'fails'],
    };
  },
  trend() {
    const trend = new Trend();
    return {
      get isEmpty() {
        return trend.count === 0;
      },
      add: (value) => trend.add(value),
      value(name) {
        if (name === 'avg' || name === 'min' || name === 'max' || name === 'count') return trend[name];
        if (name === 'med') return trend.percentile(50);
        const percent = PERCENTILE.exec(name)?.[1];
        return percent === undefined || Number(percent) > 100 ? undefined : trend.percentile(Number(percent));
      },
      names: (trendStats) => trendStats,
    };
  },
};
