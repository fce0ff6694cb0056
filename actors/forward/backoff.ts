/** When a delivery that failed is tried again, and for how long a target that asks for rest gets it. */
import { backoffMs } from '../../runtime/retry.js';

export interface RetrySettings {
  readonly delaySeconds: number;
  readonly delaySecondsMax: number;
  readonly totalSeconds: number;
}

/**
 * Milliseconds until the next attempt; undefined when there is none: it would come after the time that there is.
 * @param failures from 1
 * @param ageMs since the first attempt
 */
export function nextAttemptMs(
  failures: number,
  ageMs: number,
  askedMs: number,
  { delaySeconds, delaySecondsMax, totalSeconds }: RetrySettings,
  random: () => number,
): number | undefined {
  const policy = {
    attemptsMax: Number.POSITIVE_INFINITY,
    delayMs: delaySeconds * 1_000,
    delayMsMax: delaySecondsMax * 1_000,
  };
  const ms = Math.max(backoffMs(failures, policy, random), Math.min(askedMs, policy.delayMsMax));
  return ageMs + ms > totalSeconds * 1_000 ? undefined : Math.ceil(ms);
}

/** Milliseconds that a header Retry-After asks for: seconds, or a date; 0 when it says neither. */
export function retryAfterMs(header: string | undefined, nowMs: number): number {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) || !/GMT$/.test(header) ? 0 : Math.max(0, at - nowMs);
}
