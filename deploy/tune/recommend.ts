/**
 * Other settings for the pool that limits, with the numbers that speak for them. Never more than the node allows, and nothing where no
 * setting helps: no thread where no core is free, none for a single key, no larger batch than the actor's author allowed.
 */
import type { PoolSettings } from '../../gateway/api/status-schema.js';
import { ms, share } from '../status/words.js';
import type { Measurements, PoolSeen, Step } from './measurements.js';

interface Recommendation {
  readonly actor: string;
  readonly setting: keyof PoolSettings;
  readonly from: number;
  readonly to: number;
  readonly because: string;
}

/** Less of a core than this is none. */
const FREE_CORES_MIN = 0.5;
/** What is tried at once: a pool eight times as large says more about the server behind it than about the pool. */
const GROW = 2;
const BATCH_GROW = 4;
const BATCH_MIN = 50;

/** @param limit of `find-bottleneck.ts` */
function recommend(limit: string, step: Step, measurements: Measurements): readonly Recommendation[] {
  const pool = step.node?.pool ?? null;
  const { allowed } = measurements;
  if (pool === null || allowed === null) return [];
  switch (limit) {
    case 'hot-key':
      return batch(pool, allowed, 'a key takes a batch at a time');
    case 'postgres':
    case 's3':
    case 'redis':
      return [
        ...batch(pool, allowed, 'a larger batch does more with each call'),
        ...threads(limit, pool, step, measurements, 'more calls can go on at once'),
      ];
    case 'actor-waits':
      return [
        ...batch(pool, allowed, 'a larger batch does more in each receive'),
        ...threads(limit, pool, step, measurements, `a thread waits in its receives${turn(pool)}`),
      ];
    case 'worker-cpu':
      return [
        ...batch(pool, allowed, 'a larger batch has less to do for each message'),
        ...threads(
          limit,
          pool,
          step,
          measurements,
          pool.busy === null ? 'the threads have no time left' : `the threads are busy ${share(pool.busy)}`,
        ),
      ];
    default:
      return [];
  }
}

function batch(
  pool: PoolSeen,
  allowed: NonNullable<Measurements['allowed']>,
  because: string,
): Recommendation[] {
  const { batchMax: from } = pool.settings;
  const to = Math.min(allowed.batchMax.max, Math.max(from * BATCH_GROW, BATCH_MIN));
  return to > from ? [{ actor: pool.actor, setting: 'batchMax', from, to, because }] : [];
}

/** Where a pool has a range, its maximum; where it has a number, that number. What only waits needs no core. */
function threads(
  limit: string,
  pool: PoolSeen,
  step: Step,
  { cores, allowed }: Measurements,
  because: string,
): Recommendation[] {
  const { min, max } = pool.settings;
  // It has not grown to what it may have, which it does by itself.
  if (pool.threads < max || allowed === null) return [];
  const free = limit === 'actor-waits' ? null : freeCores(step, cores);
  if (free !== null && free < FREE_CORES_MIN) return [];
  // A thread that computes takes a core; one that waits takes none.
  const fits =
    free === null ? max * GROW : max + Math.max(1, Math.floor(free / Math.max(pool.busy ?? 1, 0.05)));
  const to = Math.min(allowed.max.max, max * GROW, fits);
  if (to <= max) return [];
  const why = free === null ? because : `${because}, and ${free.toFixed(1)} of ${cores} cores were free`;
  const settings = min === max ? (['min', 'max'] as const) : (['max'] as const);
  return settings.map((setting) => ({ actor: pool.actor, setting, from: max, to, because: why }));
}

/** Of the machine that sender and node share; of those that nobody uses. Null: not known. */
function freeCores({ load }: Step, cores: number | null): number | null {
  return cores === null || load.machineBusy === null ? null : cores * (1 - load.machineBusy);
}

function turn({ turnMs }: PoolSeen): string {
  return turnMs === null ? '' : ` (${ms(turnMs.p50)})`;
}

export { type Recommendation, recommend };
