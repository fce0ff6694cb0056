/**
 * What the gateway counts, and how Prometheus reads it.
 *
 * On the hot path a count is an increment of a number and a time is an increment in a typed array; prom-client sees
 * them when it is asked (its own `inc` with labels costs 0.3 us each). The registry is this object's own: other parts
 * of the process add theirs with `gauge` and `counter`, or to `registry` directly.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Histogram, type HistogramCounts } from '../runtime/measure/histogram.js';
import { Exemplars } from './exemplars.js';
import { HistogramSeries, type LabelledHistogram } from './histogram-series.js';

/** How the requests of one endpoint ended. Every request is counted once. */
export class EndpointCounts {
  acknowledged = 0;
  /** Answered with a success and not on the log: the sender asked whether anybody is there. */
  handshake = 0;
  malformed = 0;
  wrongSignature = 0;
  /** Signed, with a timestamp too far away. */
  expired = 0;
  tooLarge = 0;
  unsupportedMediaType = 0;
  networkNotAllowed = 0;
  logFull = 0;
  logClosed = 0;
  draining = 0;
  /** Of a long body, while others take all the memory that there is for such. */
  noRoom = 0;
  /** The client left while its body was being read. */
  aborted = 0;
  /** The client left after its body was complete, and its message was kept. */
  keptUnanswered = 0;
  /** The client left after its body was complete, and the log did not take its message. */
  lostUnanswered = 0;

  add(others: EndpointCounts): void {
    for (const name of Object.keys(this) as (keyof EndpointCounts)[]) {
      if (name !== 'add') this[name] += others[name];
    }
  }
}

/** Upper bounds in seconds; the objectives (p95 below 0.1, p99 below 0.2) are among them. */
const ACKNOWLEDGE_BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** Endpoints that were taken away and have series of their own. */
const GONE_MAX = 1_000;
/** No endpoint's name. */
const FORGOTTEN = '(forgotten)';

const ACKNOWLEDGE_NAME = 'tether_gateway_acknowledge_seconds';

export interface LabelledValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface GatewayMetricsOptions {
  /** Memory, event loop, garbage collection, file handles of this process. Default true; one per process. */
  readonly processMetrics?: boolean;
  /** A monotonic clock in milliseconds, with fractions. Default `performance.now`. */
  readonly clockMs?: () => number;
}

export class GatewayMetrics {
  readonly registry = new Registry();
  /** A monotonic clock in milliseconds, with fractions. */
  readonly clockMs: () => number;
  /** Requests for an endpoint that does not exist, or with a wrong token. */
  unknownEndpoint = 0;
  readonly #endpoints = new Map<string, EndpointCounts>();
  /** Of endpoints that were taken away so long ago that their names are forgotten. */
  readonly #forgotten = new EndpointCounts();
  readonly #acknowledge = new Histogram(ACKNOWLEDGE_BOUNDS);
  readonly #exemplars = new Exemplars(ACKNOWLEDGE_BOUNDS.length + 1);

  constructor({ processMetrics = true, clockMs = () => performance.now() }: GatewayMetricsOptions = {}) {
    this.clockMs = clockMs;
    this.#registerRequests();
    const series = new HistogramSeries(
      ACKNOWLEDGE_NAME,
      'Time from the head of a webhook request to its success answer',
      () => [{ labels: {}, counts: this.#acknowledge.counts(), exemplars: this.#exemplars.byBucket }],
      () => this.#acknowledge.reset(),
    );
    this.registry.registerMetric(series.asMetric());
    if (processMetrics) collectDefaultMetrics({ register: this.registry });
  }

  /** The counts of an endpoint, made at the first call. */
  endpoint(name: string): EndpointCounts {
    let counts = this.#endpoints.get(name);
    if (counts === undefined) {
      counts = new EndpointCounts();
      this.#endpoints.set(name, counts);
    }
    return counts;
  }

  /**
   * The endpoints that there are. Those that were taken away keep their series, so that no count ever falls; of too many, those that were
   * made first are added up under the name that no endpoint has.
   */
  keepEndpoints(names: readonly string[]): void {
    const kept = new Set(names);
    const gone = [...this.#endpoints.keys()].filter((name) => !kept.has(name) && name !== FORGOTTEN);
    for (const name of gone.slice(0, Math.max(0, gone.length - GONE_MAX))) {
      this.#forgotten.add(this.endpoint(name));
      this.#endpoints.delete(name);
      this.#endpoints.set(FORGOTTEN, this.#forgotten);
    }
  }

  /** Of all endpoints: acknowledged, and refused with an answer, whoever is to blame. */
  totals(): { readonly acknowledged: number; readonly refused: number } {
    let acknowledged = 0;
    let refused = 0;
    for (const counts of this.#endpoints.values()) {
      acknowledged += counts.acknowledged;
      refused +=
        counts.malformed +
        counts.wrongSignature +
        counts.expired +
        counts.tooLarge +
        counts.unsupportedMediaType +
        counts.networkNotAllowed +
        counts.logFull +
        counts.logClosed +
        counts.draining +
        counts.noRoom;
    }
    return { acknowledged, refused };
  }

  /** Of `tether_gateway_acknowledge_seconds`: bounds in seconds, counts not cumulative. */
  acknowledgeCounts(): HistogramCounts {
    return this.#acknowledge.counts();
  }

  /**
   * @param ms from the head of the request to the answer
   * @param traceparent of the message; empty when it has none
   */
  observeAcknowledge(ms: number, traceparent = ''): void {
    const bucket = this.#acknowledge.observe(ms);
    if (traceparent !== '') this.#exemplars.note(bucket, ms, traceparent);
  }

  /** A gauge whose value is read at each scrape. @throws Error when the name is taken */
  gauge(name: string, help: string, read: () => number): void {
    this.gauges(name, help, [], () => [{ labels: {}, value: read() }]);
  }

  /** A count that never falls, read at each scrape. Its name ends in `_total`. @throws Error when the name is taken */
  counter(name: string, help: string, read: () => number): void {
    this.counters(name, help, [], () => [{ labels: {}, value: read() }]);
  }

  /** A gauge with a value for each set of labels that there is at the scrape. @throws Error when the name is taken */
  gauges(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => readonly LabelledValue[],
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.set({ ...labels }, value);
      },
    });
  }

  /** As `gauges`, of counts that never fall. */
  counters(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => readonly LabelledValue[],
  ): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.inc({ ...labels }, value);
      },
    });
  }

  /** Read at each scrape. @throws Error when the name is taken */
  histogram(name: string, help: string, read: () => readonly LabelledHistogram[]): void {
    this.registry.registerMetric(new HistogramSeries(name, help, read).asMetric());
  }

  #registerRequests(): void {
    const endpoints = this.#endpoints;
    new Counter({
      name: 'tether_gateway_requests_total',
      help: 'Webhook requests by endpoint and outcome',
      labelNames: ['endpoint', 'outcome'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [endpoint, counts] of endpoints) {
          for (const [outcome, count] of Object.entries(counts)) {
            this.inc({ endpoint, outcome: snakeCase(outcome) }, count);
          }
        }
      },
    });
    this.counter(
      'tether_gateway_unknown_endpoint_total',
      'Webhook requests for an endpoint that does not exist, or with a wrong token',
      () => this.unknownEndpoint,
    );
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}
