/** A thread of the test of shared rates: takes and books tokens while the main thread changes how many units there are. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FilledLimits } from '../limits.js';
import { SharedLimits } from '../pool/shared-limits.js';

export interface RateThreadData {
  readonly limits: FilledLimits;
  readonly takers: number;
  readonly thread: number;
  readonly buffer: SharedArrayBuffer;
  /** Whether it books tokens too, some of which it does not want any more then. */
  readonly books: boolean;
  /** Tokens that all threads have used; then 1 when they are to end. */
  readonly used: Int32Array;
}

/** Many at once, so that one glance at the wrong number of units takes many too many. */
const WANTED = 200;

function run({ limits, takers, thread, buffer, books, used }: RateThreadData): void {
  const { rate } = new SharedLimits(limits, takers, buffer).attach(thread);
  const idle = new Int32Array(new SharedArrayBuffer(4));
  let bookedAt: number | undefined;
  for (let turn = 0; rate !== undefined && Atomics.load(used, 1) === 0; turn++) {
    const now = Date.now();
    if (bookedAt === undefined) {
      const taken = rate.take(WANTED, now);
      Atomics.add(used, 0, taken);
      if (books && (taken === 0 || turn % 2 === 0)) bookedAt = rate.book(now);
    } else if (!rate.isBooked) {
      bookedAt = undefined;
    } else if (bookedAt <= now) {
      if (rate.useBooked(now)) Atomics.add(used, 0, 1);
      bookedAt = undefined;
    } else if (turn % 32 === 1) {
      rate.forgetBooking();
      bookedAt = undefined;
    }
    if (turn % 16 === 0) Atomics.wait(idle, 0, 0, 0.1);
  }
}

if (parentPort !== null) run(workerData as RateThreadData);
