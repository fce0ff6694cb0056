/** A node that is well, as it observes itself: tests change what they are about. */
import type { PoolStatus } from '../../../gateway/index.js';
import type { Observed } from '../diagnose.js';

const settings = { min: 1, max: 4, batchMax: 500, lingerMs: 0, inFlightMax: 2_048 };
const thread = { thread: 0, mode: 'ready', partitions: 64, busy: 0.1, heapBytes: 1e7, eventLoopDelayMs: 1 };
const POOL: PoolStatus = {
  actor: 'payment',
  mode: 'running',
  threads: [thread],
  min: 1,
  max: 4,
  resizing: false,
  done: 1_000,
  donePerSecond: 100,
  inFlight: 0,
  lag: 0,
  live: 10,
  delayMs: 2,
  behindMs: 2,
  queueMs: { p50: 1, p95: 2, p99: 3 },
  turnMs: { p50: 5, p95: 8, p99: 9 },
  ageMs: { p50: 8, p95: 20, p99: 30 },
  mailboxMax: 1,
  outage: null,
  unstable: false,
  threadsLost: 0,
  settings: { current: settings, file: settings, differs: false },
};
const HEALTHY: Observed = {
  at: 1_000,
  node: { name: 'a', version: '1', role: 'all', mode: 'serving', startedAt: 0, promise: 'kept' },
  rates: {
    acknowledged: 1_000,
    refused: 0,
    done: 1_000,
    deadLetters: 0,
    acknowledgeMs: { p50: 1, p95: 2, p99: 5 },
  },
  totals: { acknowledged: 1, refused: 0, done: 1, deadLettersWritten: 0, deadLettersWaiting: 0 },
  log: {
    driver: 'journal',
    state: 'open',
    lag: 0,
    lagMax: 0,
    bytes: 1e6,
    bytesMax: 1e9,
    commitMs: { p50: 0.2, p95: 1, p99: 2 },
  },
  pools: [POOL],
  dependencies: [
    {
      name: 'postgres',
      state: 'ok',
      callsPerSecond: 10,
      failuresPerSecond: 0,
      callMs: { p50: 1, p95: 2, p99: 3 },
    },
  ],
  cluster: null,
  main: { busy: 0.2, eventLoopDelayMs: 1, heapBytes: 1e7, rssBytes: 1e8 },
};

export { HEALTHY, POOL, settings, thread };
