/**
 * A target at work: its connections, its limits, its breaker, and what an attempt to deliver to it comes to.
 *
 * Everything here is of one thread. It holds for the whole cluster, because all keys of a target are one group: one thread of one node has them.
 *
 * | answer                                   | the delivery         | the target                      |
 * |------------------------------------------|----------------------|---------------------------------|
 * | 2xx                                      | delivered            | is well                         |
 * | one of `retry.final`                     | a dead letter        | is well                         |
 * | 429, 503 with Retry-After                | tried again, then    | rests for so long               |
 * | 3xx, 408, 429, 5xx                       | tried again          | one failure                     |
 * | other 4xx                                | tried again          | is well: it answers             |
 * | none (no connection, reset, too late)    | tried again          | one failure                     |
 */
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { beginCall } from '../../runtime/measure/dependency-calls.js';
import type { WebhookDelivery } from '../webhook/delivery.js';
import { type Network, parseNetwork } from './addresses.js';
import { retryAfterMs } from './backoff.js';
import { Breaker } from './breaker.js';
import type { Resolve } from './connector.js';
import { ForwardInterruptedError } from './errors.js';
import { Gate } from './gate.js';
import { Client, type Ended } from './request.js';
import { sign, webhookId } from './signature.js';
import { type FilledTarget, secretBytes } from './target-settings.js';

export type Attempt =
  | { readonly is: 'delivered' }
  /** It was not tried: the target rests, or has as much to do as it may. */
  | { readonly is: 'busy'; readonly afterMs: number }
  /** `askedMs`: for how long the target asks to wait. */
  | { readonly is: 'failed'; readonly reason: string; readonly askedMs: number }
  | { readonly is: 'final'; readonly reason: string };

export interface Outgoing {
  readonly delivery: WebhookDelivery;
  readonly dedupe: string;
  readonly traceparent: string;
  /** From 1. */
  readonly attempt: number;
}

export interface TargetOutside {
  readonly resolve: Resolve;
  /** Monotonic. */
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** In line for a permit or a token, before it waits in the table. */
const LINE_MS_MAX = 2_000;
const BUSY_MS = { min: 1_000, max: 5_000 };
/** What a target says may not keep it away for ever. */
const RETRY_AFTER_MS_MAX = 3_600_000;

export class Target {
  readonly settings: FilledTarget;
  readonly #outside: TargetOutside;
  readonly #client: Client;
  readonly #gate: Gate;
  readonly #breaker: Breaker;
  readonly #secrets: readonly Buffer[];

  constructor(settings: FilledTarget, outside: TargetOutside) {
    this.settings = settings;
    this.#outside = outside;
    const {
      url,
      timeoutMs,
      concurrency,
      allowPrivate,
      ca,
      ratePerSecond = Number.POSITIVE_INFINITY,
    } = settings;
    const { burst = Number.isFinite(ratePerSecond) ? Math.max(1, Math.floor(ratePerSecond)) : 1 } = settings;
    const networks = allowPrivate.map(parseNetwork).filter((each): each is Network => each !== undefined);
    this.#client = new Client({
      url,
      timeoutMs,
      connections: concurrency,
      networks,
      ca,
      resolve: outside.resolve,
    });
    this.#gate = new Gate({ concurrency, ratePerSecond, burst }, outside.clock);
    this.#breaker = new Breaker(settings.breaker);
    this.#secrets = settings.secrets.map(secretBytes);
  }

  /** @throws ForwardInterruptedError */
  async attempt(outgoing: Outgoing, signal: AbortSignal): Promise<Attempt> {
    const { clock, random } = this.#outside;
    if (!(await this.#gate.enter(LINE_MS_MAX))) {
      return { is: 'busy', afterMs: BUSY_MS.min + random() * (BUSY_MS.max - BUSY_MS.min) };
    }
    try {
      const restMs = this.#breaker.admit(clock.now());
      // Not all at once when it is over.
      if (restMs > 0) return { is: 'busy', afterMs: restMs * (1 + random() / 2) };
      const told = beginCall(`forward:${this.settings.name}`);
      const ended = await this.#post(outgoing, signal);
      const attempt = this.#judge(ended);
      told?.(attempt.is === 'delivered');
      return attempt;
    } finally {
      this.#gate.leave();
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #post(outgoing: Outgoing, signal: AbortSignal): Promise<Ended> {
    let ended: Ended | undefined;
    try {
      const headers = headersOf(outgoing, this.settings.headers, this.#secrets);
      ended = await this.#client.post(headers, outgoing.delivery.body, signal);
      return ended;
    } finally {
      if (ended === undefined) this.#breaker.ended('neutral', this.#outside.clock.now());
    }
  }

  #judge(ended: Ended): Attempt {
    const now = this.#outside.clock.now();
    if (ended.is === 'interrupted') {
      this.#breaker.ended('neutral', now);
      throw new ForwardInterruptedError(`a delivery to ${this.settings.name} was interrupted`);
    }
    if (ended.is === 'unreachable') return this.#failed(ended.reason, 0, 'failure');
    const { status } = ended;
    const reason = `status ${status}`;
    if (status >= 200 && status < 300) {
      this.#breaker.ended('success', now);
      return { is: 'delivered' };
    }
    if (this.settings.retry.final.includes(status)) {
      this.#breaker.ended('success', now);
      return { is: 'final', reason };
    }
    const asksForRest = status === 429 || status === 503;
    const askedMs = asksForRest
      ? Math.min(retryAfterMs(ended.retryAfter, Date.now()), RETRY_AFTER_MS_MAX)
      : 0;
    const isWell = status >= 400 && status < 500 && status !== 408 && status !== 429;
    return this.#failed(reason, askedMs, isWell ? 'success' : 'failure');
  }

  #failed(reason: string, askedMs: number, verdict: 'success' | 'failure'): Attempt {
    const { logger, clock } = this.#outside;
    const now = clock.now();
    const { name } = this.settings;
    if (askedMs > 0) this.#breaker.restFor(askedMs, now);
    else if (this.#breaker.ended(verdict, now)) {
      logger.warn({ target: name, reason }, 'a target fails again and again, and rests');
    }
    return { is: 'failed', reason, askedMs };
  }
}

const PLAIN = /^[\x21-\x7e](?:[\t\x20-\x7e]{0,498}[\x21-\x7e])?$/;

function headersOf(
  { delivery, dedupe, traceparent, attempt }: Outgoing,
  own: Readonly<Record<string, string>>,
  secrets: readonly Buffer[],
): Record<string, string> {
  const { contentType, endpoint, kind, replay, body } = delivery;
  const headers: Record<string, string> = {
    'user-agent': 'tether',
    ...own,
    'content-type': PLAIN.test(contentType) ? contentType : 'application/octet-stream',
    'tether-endpoint': endpoint,
    'tether-attempt': String(attempt),
    ...sign(webhookId(dedupe), Date.now(), body, secrets),
  };
  // A sender may write anything in its type: what is no header is left out.
  if (PLAIN.test(kind)) headers['tether-kind'] = kind;
  if (replay !== undefined && PLAIN.test(replay.id)) headers['tether-replay'] = replay.id;
  if (PLAIN.test(traceparent)) headers.traceparent = traceparent;
  return headers;
}
