/** Histograms of the runtime as one metric, in the form that a registry of prom-client reads: one set of buckets for each set of labels. */
import type { Metric } from 'prom-client';
import type { HistogramCounts } from '../runtime/measure/histogram.js';
import type { Exemplar } from './exemplars.js';

export interface LabelledHistogram {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: HistogramCounts;
  /** By bucket. */
  readonly exemplars?: readonly (Exemplar | undefined)[];
}

export class HistogramSeries {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly #read: () => readonly LabelledHistogram[];
  readonly #reset: () => void;

  constructor(
    name: string,
    help: string,
    read: () => readonly LabelledHistogram[],
    reset: () => void = () => {},
  ) {
    this.name = name;
    this.help = help;
    this.#read = read;
    this.#reset = reset;
  }

  /** A registry asks a metric for its name and for `get()`; prom-client's type wants one of its own classes. */
  asMetric(): Metric {
    return this as unknown as Metric;
  }

  reset(): void {
    this.#reset();
  }

  async get(): Promise<object> {
    const values = this.#read().flatMap((histogram) => this.#valuesOf(histogram));
    return { name: this.name, help: this.help, type: this.type, values, aggregator: 'sum' };
  }

  #valuesOf({ labels, counts: { bounds, counts, sum }, exemplars = [] }: LabelledHistogram): object[] {
    let total = 0;
    const values: object[] = counts.map((count, bucket) => {
      total += count;
      const le = bounds[bucket] ?? '+Inf';
      const exemplar = exemplars[bucket];
      const value = { metricName: `${this.name}_bucket`, labels: { ...labels, le }, value: total };
      return exemplar === undefined ? value : { ...value, exemplar };
    });
    values.push({ metricName: `${this.name}_sum`, labels, value: sum });
    values.push({ metricName: `${this.name}_count`, labels, value: total });
    return values;
  }
}
