/** Made-up statuses of a node, each part replaceable: for the tests of whatever shows one, or judges it. */
import type { PoolStatus, Status } from '../api/status-schema.js';

/** Any moment will do. */
const AT = Date.UTC(2026, 10, 26, 6, 41, 10);

function poolOf(actor: string, change: Partial<PoolStatus> = {}): PoolStatus {
  const settings = { min: 1, max: 4, batchMax: 64, lingerMs: 0, inFlightMax: 256 };
  return {
    actor,
    mode: 'running',
    threads: [0, 1].map((thread) => ({
      thread,
      mode: 'ready',
      partitions: 32,
      busy: 0.25 + thread / 2,
      heapBytes: 30 * 1024 ** 2,
      eventLoopDelayMs: 1.5,
    })),
    min: 1,
    max: 4,
    resizing: false,
    done: 12_345,
    donePerSecond: 420,
    inFlight: 17,
    lag: 1_234,
    live: 99,
    delayMs: 3,
    behindMs: 3,
    queueMs: { p50: 1, p95: 2.5, p99: 4 },
    turnMs: { p50: 5, p95: 12, p99: 40 },
    ageMs: { p50: 20, p95: 1_250, p99: 3_000 },
    mailboxMax: 7,
    outage: null,
    unstable: false,
    threadsLost: 0,
    settings: { current: settings, file: settings, differs: false },
    ...change,
  };
}

function statusOf(change: Partial<Status> = {}): Status {
  const callMs = { p50: 1, p95: 4, p99: 9 };
  return {
    at: AT,
    node: {
      name: 'node-1',
      version: '0.1.0',
      role: 'all',
      mode: 'serving',
      startedAt: AT - 3 * 3_600_000 - 120_000,
      promise: 'an answer means: on the disk of this node',
    },
    findings: [],
    rates: {
      acknowledged: 500,
      refused: 0,
      done: 420,
      deadLetters: 0,
      acknowledgeMs: { p50: 0.4, p95: 1.2, p99: 3.4 },
    },
    totals: {
      acknowledged: 13_000,
      refused: 0,
      done: 12_345,
      deadLettersWritten: 3,
      deadLettersWaiting: 3,
    },
    log: {
      driver: 'journal',
      state: 'open',
      lag: 1_234,
      lagMax: 60,
      bytes: 1024 ** 2,
      bytesMax: 1024 ** 3,
      commitMs: { p50: 0.2, p95: 0.4, p99: 1 },
    },
    pools: [poolOf('payment'), poolOf('upload', { lag: 0, donePerSecond: 0, ageMs: null })],
    dependencies: [
      { name: 'postgres', state: 'ok', callsPerSecond: 40, failuresPerSecond: 0, callMs },
      { name: 's3', state: 'ok', callsPerSecond: 2, failuresPerSecond: 0, callMs },
    ],
    cluster: null,
    main: { busy: 0.3, eventLoopDelayMs: 2, heapBytes: 50 * 1024 ** 2, rssBytes: 200 * 1024 ** 2 },
    ...change,
  };
}

export { poolOf, statusOf };
