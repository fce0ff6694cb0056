/**
 * What limits a pool that has more to do than it does, from what its node shows of it. For the findings of a node, and for `tether tune`.
 *
 * The first row that matches: one key has most of the messages; the threads have no time left; their turns are mostly calls to a
 * dependency; none of these, so the actor waits for something that nobody measures here.
 */
import type { Percentiles, PoolStatus, Status } from '../../gateway/api/status-schema.js';

type DependencyName = Status['dependencies'][number]['name'];
type Dependencies = readonly Pick<Status['dependencies'][number], 'name' | 'callMs'>[];
type LimitedPool = Pick<PoolStatus, 'mailboxMax' | 'inFlight' | 'live' | 'turnMs'> & {
  readonly threads: readonly Pick<PoolStatus['threads'][number], 'busy'>[];
};

type PoolLimit =
  | { readonly by: 'key' }
  | { readonly by: 'threads'; readonly busy: number }
  | {
      readonly by: 'dependency';
      readonly name: DependencyName;
      readonly callMs: NonNullable<Percentiles>;
    }
  /** Null: how busy the threads are is not known. */
  | { readonly by: 'waiting'; readonly busy: number | null };

/** An event loop that works for this share of the time has no time left. */
const BUSY = 0.85;
/** Of what a pool has in its threads, behind one key. */
const HOT_SHARE = 0.5;
const HOT_MESSAGES = 64;
/** Calls to a dependency that take this share of a turn are what it waits for. */
const CALL_SHARE = 0.5;

function poolLimit(
  { mailboxMax, inFlight, live, threads, turnMs }: LimitedPool,
  dependencies: Dependencies,
): PoolLimit {
  // An actor of scope `thread` has one activation in each thread, whose mailbox is that of all keys.
  const isOfKeys = live > threads.length;
  if (isOfKeys && mailboxMax >= HOT_MESSAGES && mailboxMax >= inFlight * HOT_SHARE) return { by: 'key' };
  const busy = average(threads.map(({ busy }) => busy));
  if (busy !== null && busy >= BUSY) return { by: 'threads', busy };
  if (turnMs !== null) {
    const [slowest] = dependencies
      .flatMap(({ name, callMs }) => (callMs === null ? [] : [{ name, callMs }]))
      .filter(({ callMs }) => callMs.p50 >= turnMs.p50 * CALL_SHARE)
      .sort((a, b) => b.callMs.p50 - a.callMs.p50);
    if (slowest !== undefined) return { by: 'dependency', ...slowest };
  }
  return { by: 'waiting', busy };
}

/** A thread of it at least takes messages; those that start load their actor and run its `open` first. */
function isStarted({
  threads,
}: {
  readonly threads: readonly Pick<PoolStatus['threads'][number], 'mode'>[];
}) {
  return threads.some(({ mode }) => mode === 'ready');
}

/** Of those that are known; null when none is. */
function average(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

export { average, BUSY, isStarted, poolLimit };
