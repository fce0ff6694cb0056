/**
 * What the gateway counts, and how Prometheus reads it.
 *
 * On the hot path a count is an increment of a number and a time is an increment in a typed array; prom-client sees
 * them when it is asked (its own `inc` with labels costs 0.3 us each). The registry is this object's own: other parts
 * of the process add theirs with `gauge` and `counter`, or to `registry` directly.
 */
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';

/** How the requests of one endpoint ended. Every request is counted once. */
export class EndpointCounts {
  acknowledged = 0;
  malformed = 0;
  wrongSignature = 0;
  tooLarge = 0;
  unsupportedMediaType = 0;
  networkNotAllowed = 0;
  logFull = 0;
  logClosed = 0;
  draining = 0;
  /** The client left while its body was being read. */
  aborted = 0;
  /** The client left after its body was complete, and its message was kept. */
  keptUnanswered = 0;
  /** The client left after its body was complete, and the log did not take its message. */
  lostUnanswered = 0;
}

/** Upper bounds in milliseconds. 100 and 200 are those of the objectives: `deploy/prometheus/rules/objectives.yml` asks for them. */
const ACKNOWLEDGE_MS_BOUNDS = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 200, 250, 500, 1000, 2500, 5000, 10_000,
] as const;

const ACKNOWLEDGE_NAME = 'tether_gateway_acknowledge_seconds';

/** A histogram with fixed buckets, in the form that a registry of prom-client reads. */
class FixedHistogram {
  readonly name: string;
  readonly help: string;
  readonly #boundsMs: Float64Array;
  /** One more than bounds: what is above the last. Not cumulative. */
  readonly #counts: Float64Array;
  #sumMs = 0;

  constructor(name: string, help: string, boundsMs: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#boundsMs = Float64Array.from(boundsMs);
    this.#counts = new Float64Array(boundsMs.length + 1);
  }

  observe(ms: number): void {
    const bounds = this.#boundsMs;
    let i = 0;
    while (i < bounds.length && ms > (bounds[i] ?? 0)) i++;
    this.#counts[i] = (this.#counts[i] ?? 0) + 1;
    this.#sumMs += ms;
  }

  /** Bounds in seconds; counts are not cumulative. */
  read(): { readonly bounds: readonly number[]; readonly counts: readonly number[] } {
    return { bounds: Array.from(this.#boundsMs, (bound) => bound / 1_000), counts: Array.from(this.#counts) };
  }

  reset(): void {
    this.#counts.fill(0);
    this.#sumMs = 0;
  }

  async get(): Promise<object> {
    let total = 0;
    const values: object[] = [];
    for (const [i, count] of this.#counts.entries()) {
      total += count;
      const boundMs = this.#boundsMs[i];
      const le = boundMs === undefined ? '+Inf' : boundMs / 1000;
      values.push({ metricName: `${this.name}_bucket`, labels: { le }, value: total });
    }
    values.push({ metricName: `${this.name}_sum`, labels: {}, value: this.#sumMs / 1000 });
    values.push({ metricName: `${this.name}_count`, labels: {}, value: total });
    return { name: this.name, help: this.help, type: 'histogram', values, aggregator: 'sum' };
  }
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
  readonly #acknowledge = new FixedHistogram(
    ACKNOWLEDGE_NAME,
    'Time from the head of a webhook request to its success answer',
    ACKNOWLEDGE_MS_BOUNDS,
  );

  constructor({ processMetrics = true, clockMs = () => performance.now() }: GatewayMetricsOptions = {}) {
    this.clockMs = clockMs;
    this.#registerRequests();
    // A registry asks a metric for its name and for `get()`; prom-client's type wants one of its own classes.
    this.registry.registerMetric(this.#acknowledge as unknown as Metric);
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

  /** Of all endpoints: acknowledged, and refused with an answer, whoever is to blame. */
  totals(): { readonly acknowledged: number; readonly refused: number } {
    let acknowledged = 0;
    let refused = 0;
    for (const counts of this.#endpoints.values()) {
      acknowledged += counts.acknowledged;
      refused +=
        counts.malformed +
        counts.wrongSignature +
        counts.tooLarge +
        counts.unsupportedMediaType +
        counts.networkNotAllowed +
        counts.logFull +
        counts.logClosed +
        counts.draining;
    }
    return { acknowledged, refused };
  }

  /** Of `tether_gateway_acknowledge_seconds`: bounds in seconds, counts not cumulative. */
  acknowledgeCounts(): { readonly bounds: readonly number[]; readonly counts: readonly number[] } {
    return this.#acknowledge.read();
  }

  /** Milliseconds from the head of the request to the answer. */
  observeAcknowledge(ms: number): void {
    this.#acknowledge.observe(ms);
  }

  /** A gauge whose value is read at each scrape. @throws Error when the name is taken */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** A count that never falls, read at each scrape. Its name ends in `_total`. @throws Error when the name is taken */
  counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
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
