/**
 * Sends a stream of EMP notifications at a rate, over a bounded number of connections, and counts what became of them.
 *
 * The rate is kept against the clock, not against the answers: a latency counts from the moment when the delivery was
 * due, so that a node that stalls shows it, even though the sender can only wait. Without a rate it counts from the
 * moment when a connection was free. When nothing is acknowledged for as long as one delivery is tried, it gives up as a
 * whole: each of many deliveries would run into the same wall, one after another.
 */
import { setMaxListeners } from 'node:events';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { deliver } from './emp-client.js';
import { type EmpTrafficOptions, empTraffic } from './emp-traffic.js';
import { type Attempted, Trouble } from './trouble.js';

interface SendProgress {
  /** Deliveries that are acknowledged or given up. */
  readonly done: number;
  /** Attempts that were not acknowledged. */
  readonly failures: number;
}

interface SendOptions extends EmpTrafficOptions {
  /** `http://host:port` */
  readonly url: string;
  readonly endpoint: string;
  readonly token: string;
  /** Deliveries per second; Infinity: as fast as the connections allow. */
  readonly rate: number;
  readonly connections: number;
  /** How long one delivery is tried, and how long nothing may be acknowledged before all is given up. */
  readonly deadlineMsMax: number;
  /** When it fires, nothing new is sent and nothing is retried. */
  readonly signal: AbortSignal;
  /** Called after each attempt and after each delivery. */
  readonly onProgress?: (progress: SendProgress) => void;
  /** Called once for each outcome that goes on for a few seconds without an acknowledgement between. */
  readonly onTrouble?: (outcome: string) => void;
}

interface SendSummary {
  readonly seed: number;
  /** Deliveries that were tried. */
  readonly sent: number;
  readonly distinct: number;
  readonly duplicates: number;
  readonly acknowledged: number;
  /** Deliveries that were not acknowledged, by the last outcome. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Attempts beyond the first of each delivery. */
  readonly retries: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Of acknowledged deliveries, retries included; null when there are none. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  } | null;
  /** The outcome at which all was given up, since nothing was acknowledged for `deadlineMsMax`; null when it was not. */
  readonly gaveUp: string | null;
}

const ATTEMPT_MS_MAX = 10_000;

async function sendEmp(options: SendOptions): Promise<SendSummary> {
  const { connections, rate } = options;
  const giveUp = new AbortController();
  const signal = AbortSignal.any([options.signal, giveUp.signal]);
  // One wait for each connection, and what the caller hung on it.
  setMaxListeners(connections + 16, signal);
  const pool = new Pool(options.url, { connections, pipelining: 1, connect: { timeout: ATTEMPT_MS_MAX } });
  const path = `/webhooks/${encodeURIComponent(options.endpoint)}/${encodeURIComponent(options.token)}`;
  const latencies = createHistogram({ figures: 3 });
  const rejected = new Map<string, number>();
  const total = { sent: 0, done: 0, duplicates: 0, acknowledged: 0, retries: 0, failures: 0 };
  const trouble = new Trouble(options.deadlineMsMax);
  let gaveUp: string | null = null;
  const onAttempt = (attempted: Attempted): void => {
    const verdict = trouble.after(attempted);
    if (!attempted.acknowledged) total.failures += 1;
    options.onProgress?.({ done: total.done, failures: total.failures });
    if (verdict.tell) options.onTrouble?.(attempted.outcome);
    if (!verdict.giveUp || gaveUp !== null) return;
    gaveUp = attempted.outcome;
    giveUp.abort();
  };
  const deliverOptions = {
    dispatcher: pool,
    path,
    deadlineMsMax: options.deadlineMsMax,
    attemptMsMax: Math.min(ATTEMPT_MS_MAX, options.deadlineMsMax),
    signal,
    onAttempt,
  };
  const traffic = empTraffic(options);
  const start = performance.now();

  // All lanes draw from one stream, so a repeat that follows its original is under way beside it.
  const lane = async (): Promise<void> => {
    for (const message of traffic) {
      const due =
        rate === Number.POSITIVE_INFINITY ? performance.now() : start + (message.index / rate) * 1000;
      const early = due - performance.now();
      if (early > 1) await sleep(early, undefined, { signal }).catch(ignoreAbort);
      if (signal.aborted) return;
      total.sent += 1;
      if (message.repeats !== undefined) total.duplicates += 1;
      const { acknowledged, outcome, attempts } = await deliver(message, deliverOptions);
      total.retries += attempts - 1;
      total.done += 1;
      if (acknowledged) {
        total.acknowledged += 1;
        latencies.record(Math.max(1, Math.round((performance.now() - due) * 1000)));
      } else {
        rejected.set(outcome, (rejected.get(outcome) ?? 0) + 1);
      }
      options.onProgress?.({ done: total.done, failures: total.failures });
    }
  };
  const ignoreAbort = (error: unknown): void => {
    if (!signal.aborted) throw error;
  };

  try {
    await Promise.all(Array.from({ length: connections }, () => lane()));
  } finally {
    await pool.destroy();
  }
  const seconds = (performance.now() - start) / 1000;
  const ms = (microseconds: number) => Math.round(microseconds / 10) / 100;
  return {
    seed: options.seed,
    sent: total.sent,
    distinct: total.sent - total.duplicates,
    duplicates: total.duplicates,
    acknowledged: total.acknowledged,
    rejected: Object.fromEntries([...rejected].sort()),
    retries: total.retries,
    seconds: Math.round(seconds * 100) / 100,
    perSecond: Math.round(total.sent / seconds),
    latencyMs:
      latencies.count === 0
        ? null
        : {
            p50: ms(latencies.percentile(50)),
            p95: ms(latencies.percentile(95)),
            p99: ms(latencies.percentile(99)),
            max: ms(latencies.max),
          },
    gaveUp,
  };
}

export { type SendOptions, type SendProgress, type SendSummary, sendEmp };
