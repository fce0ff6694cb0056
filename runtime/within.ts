import type { Clock } from './clock.js';

/** Waits for `promise`, but not longer than `ms` milliseconds: then the answer is `late`, and the promise is left to itself. */
export async function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | 'late'> {
  let cancel = () => {};
  const deadline = new Promise<'late'>((resolve) => {
    cancel = clock.after(ms, () => resolve('late'));
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    cancel();
  }
}
