/** How many threads a pool may have: a number is both the least and the most. */
import { PoolRequestError } from '../errors.js';

export interface PoolLimits {
  /** At least 1; the pool starts with so many. */
  readonly min: number;
  /** Between `min` and `max` the pool has as many as it needs (`autoscale.ts`). */
  readonly max: number;
}

export type PoolSize = number | PoolLimits;

/** No machine that this is for has as many cores. */
export const THREADS_MAX = 256;

/** @throws PoolRequestError when it is no size */
export function limitsOf(size: PoolSize): PoolLimits {
  const { min, max } = typeof size === 'number' ? { min: size, max: size } : size;
  const whole = Number.isInteger(min) && Number.isInteger(max);
  if (!whole || min < 1 || max < min || max > THREADS_MAX) {
    throw new PoolRequestError(
      `a pool has from 1 to ${THREADS_MAX} threads, min not over max; it cannot have ${min} to ${max}`,
    );
  }
  return { min, max };
}
