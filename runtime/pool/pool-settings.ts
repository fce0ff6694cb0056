/**
 * What of a pool may be changed while it works, and what is allowed. A change is checked as a whole before anything of it holds.
 *
 * A batch may be smaller than the definition says, never larger: what `receive` can bear is for its author to say. So an actor whose
 * supervision is `resume`, which needs batches of one, keeps them.
 */
import type { Batching } from '../batching.js';
import { PoolRequestError } from '../errors.js';
import { limitsOf, type PoolLimits, THREADS_MAX } from './pool-size.js';

export interface PoolSettings extends PoolLimits, Batching {
  /** Messages that one thread has at a time and that are not done; those that wait for a retry apart. */
  readonly inFlightMax: number;
}

/** What is left out stays. */
export type PoolChange = { readonly [Name in keyof PoolSettings]?: PoolSettings[Name] | undefined };

/** A batch that waits longer is no batch any more, but a delay. */
const LINGER_MS_MAX = 10_000;
/** Memory is bounded by bytes as well (`route.ts`): this bounds what a loss sends again. */
const IN_FLIGHT_MAX = 16_384;

/** What each setting may be, the others apart. */
export function allowedSettings(defined: PoolSettings): {
  readonly [Name in keyof PoolSettings]: PoolLimits;
} {
  const threads = { min: 1, max: THREADS_MAX };
  return {
    min: threads,
    max: threads,
    batchMax: { min: 1, max: defined.batchMax },
    lingerMs: { min: 0, max: Math.max(LINGER_MS_MAX, defined.lingerMs) },
    inFlightMax: { min: 1, max: IN_FLIGHT_MAX },
  };
}

/**
 * The settings after a change.
 * @param defined what the definition and the registration say
 * @throws PoolRequestError when one of them is not allowed, with what is
 */
export function changed(current: PoolSettings, change: PoolChange, defined: PoolSettings): PoolSettings {
  const unknown = Object.keys(change).find((name) => !Object.hasOwn(defined, name));
  if (unknown !== undefined) {
    throw new PoolRequestError(`a pool has ${Object.keys(defined).join(', ')}; it has no ${unknown}`);
  }
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  const { min, max, batchMax, lingerMs, inFlightMax }: PoolSettings = {
    ...current,
    ...Object.fromEntries(given),
  };
  const allowed = allowedSettings(defined);
  const whole = (name: 'batchMax' | 'lingerMs' | 'inFlightMax', value: number) => {
    const { min, max } = allowed[name];
    // What the author has chosen is right, whatever it is.
    if (value === defined[name] || (Number.isInteger(value) && value >= min && value <= max)) return;
    throw new PoolRequestError(
      `${name} is a whole number from ${min} to ${max}; it cannot be ${String(value)}`,
    );
  };
  whole('batchMax', batchMax);
  whole('lingerMs', lingerMs);
  whole('inFlightMax', inFlightMax);
  return Object.freeze({ ...limitsOf({ min, max }), batchMax, lingerMs, inFlightMax });
}

export function sameSettings(one: PoolSettings, other: PoolSettings): boolean {
  return (Object.keys(one) as (keyof PoolSettings)[]).every((name) => one[name] === other[name]);
}
