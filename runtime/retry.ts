/**
 * When to try again: exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", 2015): the delay is
 * drawn evenly from the upper half of the exponential step, so that messages which failed together do not come back
 * together, and none comes back at once.
 */
export interface RetryPolicy {
  /** Deliveries of a message on its own before it becomes a dead letter; at least 1. */
  readonly attemptsMax: number;
  /** Ceiling of the first delay. */
  readonly delayMs: number;
  /** Ceiling of any delay. */
  readonly delayMsMax: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attemptsMax: 5, delayMs: 200, delayMsMax: 10_000 };

/**
 * Milliseconds to wait after the `failures`-th failure in a row (from 1).
 * @param random returns [0, 1)
 */
export function backoffMs(failures: number, policy: RetryPolicy, random: () => number): number {
  // The exponent is capped: 2 ** 1024 is Infinity, and Infinity * 0 is NaN.
  const step = Math.min(policy.delayMsMax, policy.delayMs * 2 ** Math.min(failures - 1, 30));
  return step / 2 + (random() * step) / 2;
}
