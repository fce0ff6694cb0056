/**
 * A thread of the test of shared limits: its actors run with the limits of `buffer`, note in `gauge` how many calls are under way in
 * all threads, and end the process of the thread in the midst of a call when they are told to.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { hostIn, testKernel } from '../kernel/test-kernel.js';
import type { FilledLimits } from '../limits.js';
import { SharedLimits } from '../pool/shared-limits.js';

export interface LimitsThreadData {
  readonly limits: FilledLimits;
  readonly threads: number;
  readonly thread: number;
  readonly buffer: SharedArrayBuffer;
  /** Calls under way in all threads, the most there ever were, and how many each thread has had. */
  readonly gauge: Int32Array;
  readonly messages: number;
  /** This thread ends when it has so many calls under way. */
  readonly crashAt: number;
}

export const UNDER_WAY = 0;
export const MOST = 1;
export const FIRST_THREAD = 2;

function run({ limits, threads, thread, buffer, gauge, messages, crashAt }: LimitsThreadData): void {
  const kernel = testKernel({ id: thread });
  let mine = 0;
  let left = messages;
  const shared = new SharedLimits(limits, threads, buffer).attach(thread);
  hostIn(
    kernel,
    {
      type: 'limited',
      scope: 'key',
      batchMax: 1,
      limits: { concurrencyMax: limits.concurrencyMax },
      async receive() {
        const now = Atomics.add(gauge, UNDER_WAY, 1) + 1;
        if (now > Atomics.load(gauge, MOST)) Atomics.store(gauge, MOST, now);
        if (++mine === crashAt) process.exit(1);
        // So that others may come between; the time itself means nothing.
        await new Promise((resolve) => setTimeout(resolve, 1));
        mine--;
        Atomics.sub(gauge, UNDER_WAY, 1);
        Atomics.add(gauge, FIRST_THREAD + thread, 1);
        if (--left === 0) parentPort?.postMessage('done');
      },
    },
    shared,
  );
  for (let at = 0; at < messages; at++) kernel.ref('limited', `${at % 20}`).tell(at);
  // A port that is listened to keeps the thread, waiting for a permit does not.
  parentPort?.on('message', () => process.exit(0));
}

if (parentPort !== null) run(workerData as LimitsThreadData);
