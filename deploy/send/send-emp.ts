/**
 * Sends a stream of EMP notifications at a rate, over a bounded number of connections, and counts what became of them.
 *
 * The rate is kept against the clock, not against the answers: a latency counts from the moment when the delivery was
 * due, so that a node that stalls shows it, even though the sender can only wait. Without a rate it counts from the
 * moment when a connection was free.
 */
import { setMaxListeners } from 'node:events';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { deliver } from './emp-client.js';
import { type EmpTrafficOptions, empTraffic } from './emp-traffic.js';

interface SendOptions extends EmpTrafficOptions {
  /** `http://host:port` */
  readonly url: string;
  readonly endpoint: string;
  readonly token: string;
  /** Deliveries per second; Infinity: as fast as the connections allow. */
  readonly rate: number;
  readonly connections: number;
  /** How long one delivery is tried. */
  readonly deadlineMsMax: number;
  /** When it fires, nothing new is sent and nothing is retried. */
  readonly signal: AbortSignal;
  /** Called after each delivery. */
  readonly onProgress?: (done: number) => void;
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
  /** Of acknowledged deliveries, retries included. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

const ATTEMPT_MS_MAX = 10_000;

async function sendEmp(options: SendOptions): Promise<SendSummary> {
  const { connections, rate, signal } = options;
  // One wait for each connection, and what the caller hung on it.
  setMaxListeners(connections + 16, signal);
  const pool = new Pool(options.url, { connections, pipelining: 1, connect: { timeout: ATTEMPT_MS_MAX } });
  const path = `/webhooks/${encodeURIComponent(options.endpoint)}/${encodeURIComponent(options.token)}`;
  const deliverOptions = {
    dispatcher: pool,
    path,
    deadlineMsMax: options.deadlineMsMax,
    attemptMsMax: ATTEMPT_MS_MAX,
    signal,
  };
  const latencies = createHistogram({ figures: 3 });
  const rejected = new Map<string, number>();
  const total = { sent: 0, done: 0, duplicates: 0, acknowledged: 0, retries: 0 };
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
      options.onProgress?.(total.done);
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
  const measured = latencies.count > 0;
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
    latencyMs: {
      p50: measured ? ms(latencies.percentile(50)) : 0,
      p99: measured ? ms(latencies.percentile(99)) : 0,
      max: measured ? ms(latencies.max) : 0,
    },
  };
}

export { type SendOptions, type SendSummary, sendEmp };
