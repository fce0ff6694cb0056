/** A made-up node for the console's tests: what it is doing, in the shapes of the API. */
import type { NodeView } from '../../api/status.js';
import type { Finding, PoolStatus, Status } from '../../api/status-schema.js';
import { statusOf as madeUpStatus, poolOf } from '../../test/made-up-status.js';

const KEYS = ['emp:9f1c', 'emp:77aa', 'emp:<b>bold</b>', 'emp:0d2e'];
const SETTINGS = { min: 1, max: 4, batchMax: 64, lingerMs: 2, inFlightMax: 1024 };

export const SLOW: Finding = {
  severity: 'critical',
  code: 'actor-slow',
  title: 'Actor payment is the bottleneck',
  detail: 'Its threads are busy 97 % of the time, a turn takes 41 ms at p95, and 8,412 messages wait.',
  advice: 'Look at what `receive` waits for, or raise max from 4 to 8.',
  subject: 'payment',
};
const LETTERS: Finding = {
  severity: 'warning',
  code: 'dead-letters-waiting',
  title: 'Dead letters wait',
  detail: '37 messages could not be handled.',
  advice: 'Look at their causes, then replay or drop them.',
};

function pool(actor: string, change: Partial<PoolStatus> = {}): PoolStatus {
  return poolOf(actor, {
    threads: Array.from({ length: 4 }, (_, thread) => ({
      thread,
      mode: 'running',
      partitions: 16,
      busy: [0.97, 0.62, 0.31, 0.04][thread] ?? null,
      heapBytes: 48_000_000 + thread * 1_000_000,
      eventLoopDelayMs: 3.2,
    })),
    done: 1_204_533,
    donePerSecond: 1_312,
    inFlight: 640,
    lag: 8_412,
    live: 220,
    delayMs: 310,
    behindMs: 6_400,
    queueMs: { p50: 12, p95: 310, p99: 420 },
    turnMs: { p50: 8.1, p95: 41, p99: 77 },
    ageMs: { p50: 140, p95: 420, p99: 900 },
    mailboxMax: 118,
    settings: { current: SETTINGS, file: SETTINGS, differs: false },
    ...change,
  });
}

export function pools(): PoolStatus[] {
  return [
    pool('payment', {
      settings: { current: { ...SETTINGS, max: 4, batchMax: 128 }, file: SETTINGS, differs: true },
    }),
    pool('debtor-import', {
      mode: 'paused',
      lag: 0,
      donePerSecond: 0,
      ageMs: null,
      turnMs: null,
      queueMs: null,
    }),
  ];
}

export function statusOf(at: number, findings: readonly Finding[]): Status {
  return madeUpStatus({
    at,
    node: {
      name: 'node-a',
      version: '0.1.0',
      role: 'all',
      mode: 'serving',
      startedAt: at - 4 * 3_600_000,
      promise: 'An acknowledged message survives a power cut.',
    },
    findings: [...findings],
    rates: {
      acknowledged: 1_400 + 100 * Math.sin(at / 5_000),
      refused: 0.4,
      done: 1_312,
      deadLetters: 0,
      acknowledgeMs: { p50: 3, p95: 11, p99: 19 },
    },
    totals: {
      acknowledged: 1_213_000,
      refused: 214,
      done: 1_204_533,
      deadLettersWritten: 52,
      deadLettersWaiting: 37,
    },
    log: {
      driver: 'journal',
      state: 'open',
      lag: 8_412,
      lagMax: 1_990,
      bytes: 734_003_200,
      bytesMax: 4_294_967_296,
      commitMs: { p50: 0.6, p95: 1.9, p99: 4.4 },
    },
    pools: pools(),
    dependencies: [
      {
        name: 'postgres',
        state: 'ok',
        callsPerSecond: 41,
        failuresPerSecond: 0,
        callMs: { p50: 4, p95: 18, p99: 40 },
      },
      { name: 's3', state: 'answers with 503', callsPerSecond: 2, failuresPerSecond: 0.5, callMs: null },
    ],
    main: { busy: 0.34, eventLoopDelayMs: 6.1, heapBytes: 61_000_000, rssBytes: 342_000_000 },
  });
}

/** `findings`: asked at each look. */
export function nodeView(findings: () => readonly Finding[] = () => [SLOW, LETTERS]): NodeView {
  return {
    status: () => statusOf(Date.now(), findings()),
    history() {
      const at = Array.from({ length: 300 }, (_, second) => Date.now() - (300 - second) * 1_000);
      return {
        at,
        acknowledged: at.map((ms, i) => 1_200 + 250 * Math.sin(ms / 20_000) + (i % 7) * 11),
        refused: at.map(() => 0),
        done: at.map((_, i) => 1_150 + 40 * Math.cos(i / 9)),
        lag: at.map((_, i) => Math.max(0, (i - 120) * 45)),
        acknowledgeMsP95: at.map((_, i) => (i < 20 ? null : 9 + 3 * Math.sin(i / 14))),
        ageMsP95: at.map((_, i) => 40 + Math.max(0, i - 120) * 2),
      };
    },
    partitions: () =>
      Array.from({ length: 64 }, (_, partition) => ({
        actor: 'payment',
        partition,
        owner: partition === 63 ? null : partition % 2 === 0 ? 'node-a' : 'node-b',
        thread: partition % 2 === 0 ? (partition / 2) % 4 : null,
        lag: partition % 5 === 0 ? partition * 31 : 0,
        mode: partition % 2 === 0 ? ('owned' as const) : ('elsewhere' as const),
      })),
    actors: () => [
      {
        actor: 'payment',
        live: 220,
        hottest: KEYS.map((key, i) => ({ key, perSecond: 40 / (i + 1) })),
        deepest: KEYS.map((key, i) => ({ key, depth: 118 - i * 30 })),
      },
    ],
    config: () => [
      { key: 'TETHER_PORT', value: '8080', default: '8080', source: 'default', secret: false },
      { key: 'TETHER_API_TOKEN', value: '********', default: null, source: 'set', secret: true },
    ],
  };
}
