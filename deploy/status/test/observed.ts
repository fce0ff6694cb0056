/** A node that is well, as it observes itself: tests change what they are about. */
import { poolOf, statusOf } from '../../../gateway/test/made-up-status.js';
import type { Observed } from '../diagnose.js';

const settings = { min: 1, max: 4, batchMax: 500, lingerMs: 0, inFlightMax: 2_048 };
const thread = { thread: 0, mode: 'ready', partitions: 64, busy: 0.1, heapBytes: 1e7, eventLoopDelayMs: 1 };
const POOL = poolOf('payment', {
  threads: [thread],
  inFlight: 0,
  lag: 0,
  live: 10,
  mailboxMax: 1,
  settings: { current: settings, file: settings, differs: false },
});
const MADE_UP = statusOf();
const HEALTHY: Observed = {
  ...MADE_UP,
  totals: { ...MADE_UP.totals, deadLettersWaiting: 0 },
  log: { ...MADE_UP.log, lag: 0, lagMax: 0 },
  pools: [POOL],
  dependencies: MADE_UP.dependencies.filter(({ name }) => name === 'postgres'),
};

export { HEALTHY, POOL, settings, thread };
