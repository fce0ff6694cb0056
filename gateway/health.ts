/**
 * What a balancer, an orchestrator and Prometheus ask: alive, ready, metrics.
 *
 * `/livez` says only that the event loop turns: a process that is not ready must not be restarted for it. `/readyz` and
 * `/health` (the balancer's) are 503 while a check fails or the gateway drains.
 */
import type { HttpResponse } from 'uWebSockets.js';
import type { Logger } from '../runtime/logger.js';
import { type Answer, jsonAnswer, type SendOptions, send } from './answer.js';
import { answerLater } from './answer-later.js';
import type { Intake } from './intake.js';
import type { GatewayMetrics } from './metrics.js';
import { OPEN_METRICS_TYPE, openMetricsText, wantsOpenMetrics } from './open-metrics.js';

export interface Readiness {
  readonly ready: boolean;
  /** What was looked at, and how it is: `ok`, or what is wrong. Shown to anybody who asks. */
  readonly checks: Readonly<Record<string, string>>;
}

const LIVE = jsonAnswer({ status: 'live' });

export class Health {
  readonly #intake: Intake;
  readonly #readiness: () => Readiness;
  readonly #metrics: GatewayMetrics;
  readonly #logger: Logger;

  constructor(intake: Intake, readiness: () => Readiness, metrics: GatewayMetrics, logger: Logger) {
    this.#intake = intake;
    this.#readiness = readiness;
    this.#metrics = metrics;
    this.#logger = logger;
  }

  live(res: HttpResponse, options: SendOptions): void {
    send(res, LIVE, options);
  }

  ready(res: HttpResponse, options: SendOptions): void {
    const { ready, checks } = this.#check();
    const status = ready ? '200 OK' : '503 Service Unavailable';
    send(res, jsonAnswer({ status: ready ? 'ready' : 'unready', checks }, status), options);
  }

  /** @param accept the header, whatever stands in it */
  metrics(res: HttpResponse, options: SendOptions, accept: string): void {
    const open = wantsOpenMetrics(accept);
    answerLater(res, () => this.#exposition(open), options, this.#logger);
  }

  #check(): Readiness {
    let found: Readiness;
    try {
      found = this.#readiness();
    } catch (error) {
      // An exception must not leave a handler of uWebSockets.js, and a check that cannot be made has failed.
      this.#logger.error({ err: error }, 'the readiness check failed');
      found = { ready: false, checks: { readiness: 'cannot be checked' } };
    }
    const { mode } = this.#intake;
    return mode === 'open' ? found : { ready: false, checks: { ...found.checks, gateway: mode } };
  }

  async #exposition(open: boolean): Promise<Answer> {
    const { registry } = this.#metrics;
    return {
      status: '200 OK',
      contentType: open ? OPEN_METRICS_TYPE : registry.contentType,
      headers: [
        ['Cache-Control', 'no-store'],
        ['Vary', 'Accept'],
      ],
      body: await (open ? openMetricsText(registry) : registry.metrics()),
    };
  }
}
