/** A thread of the test of shared rates: takes and books tokens while the main thread changes how many units there are. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FilledLimits } from '../limits.js';
import { SharedLimits } from '../pool/shared-limits.js';

export interface RateThreadData {
  readonly limits: FilledLimits;
  readonly takers: number;
  readonly thread: number;
  readonly buffer: SharedArrayBuffer;
  /** Whether it books every second one before it uses it. */
  readonly books: boolean;
  /** Tokens that all threads have used; then 1 when they are to end. */
  readonly used: Int32Array;
}

/** Many at once, so that one glance at the wrong number of units takes many too many. */
const WANTED = 200;

function run({ limits, takers, thread, buffer, books, used }: RateThreadData): void {
  const { rate } = new SharedLimits(limits, takers, buffer).attach(thread);
  const idle = new Int32Array(new SharedArrayBuffer(4));
  for (let turn = 0; rate !== undefined && Atomics.load(used, 1) === 0; turn++) {
    const now = Date.now();
    if (!books || turn % 2 === 0) {
      Atomics.add(used, 0, rate.take(WANTED, now));
    } else if (rate.units > 0) {
      const at = rate.book(now);
      if (at !== undefined && at <= now && rate.useBooked(now)) Atomics.add(used, 0, 1);
    }
    if (turn % 16 === 0) Atomics.wait(idle, 0, 0, 0.1);
  }
}

if (parentPort !== null) run(workerData as RateThreadData);
