/**
 * What `tether top` knows and shows, as a value, and each change of it as a function: of what the node said, and of what the person did.
 *
 * What the view shows in its middle is one `panel`:
 *
 *   overview -> details | help | confirm    by a key
 *   details | help | confirm -> overview    by a key; `confirm` also when the pool that it asks about is gone
 */
import type { History, PoolStatus, Status } from '../../gateway/api/status-schema.js';

type Sort = 'name' | 'lag' | 'busy' | 'done';
type PoolVerb = 'pause' | 'resume' | 'drain';

type Panel =
  | { readonly mode: 'overview' | 'details' | 'help' }
  | { readonly mode: 'confirm'; readonly verb: PoolVerb; readonly actor: string };

type Connection =
  | { readonly mode: 'live' }
  | { readonly mode: 'lost'; readonly sinceMs: number; readonly nowMs: number; readonly reason: string };

/** Of the last minute, oldest first. */
interface Recent {
  readonly acknowledged: readonly number[];
  readonly done: readonly number[];
  readonly lag: readonly number[];
}

interface TopState {
  readonly url: string;
  readonly status: Status;
  readonly recent: Recent;
  readonly connection: Connection;
  readonly panel: Panel;
  readonly sort: Sort;
  /** The actor of a pool; null: there is none. */
  readonly selected: string | null;
  /** What became of the last action. */
  readonly message: { readonly text: string; readonly failed: boolean } | null;
}

const RECENT_MAX = 60;
const SORTS: readonly Sort[] = ['name', 'lag', 'busy', 'done'];
const NOTHING: Recent = { acknowledged: [], done: [], lag: [] };

function firstState(url: string, status: Status, history?: History): TopState {
  const recent: Recent =
    history === undefined
      ? NOTHING
      : { acknowledged: history.acknowledged, done: history.done, lag: history.lag };
  const state: TopState = {
    url,
    status,
    recent,
    connection: { mode: 'live' },
    panel: { mode: 'overview' },
    sort: 'name',
    selected: null,
    message: null,
  };
  return withStatus(state, status);
}

function withStatus(state: TopState, status: Status): TopState {
  const { rates, log } = status;
  const recent: Recent = {
    acknowledged: added(state.recent.acknowledged, rates.acknowledged),
    done: added(state.recent.done, rates.done),
    lag: added(state.recent.lag, log.lag),
  };
  const has = (actor: string | null) => status.pools.some((pool) => pool.actor === actor);
  const next: TopState = { ...state, status, recent, connection: { mode: 'live' } };
  const { panel } = state;
  return {
    ...next,
    selected: has(state.selected) ? state.selected : (poolsOf(next)[0]?.actor ?? null),
    panel: panel.mode === 'confirm' && !has(panel.actor) ? { mode: 'overview' } : panel,
  };
}

/** `nowMs`: of the wall clock. */
function withLoss(state: TopState, reason: string, nowMs: number): TopState {
  const sinceMs = state.connection.mode === 'lost' ? state.connection.sinceMs : nowMs;
  return { ...state, connection: { mode: 'lost', sinceMs, nowMs, reason } };
}

/** In the order in which they are shown. */
function poolsOf({ status, sort }: Pick<TopState, 'status' | 'sort'>): readonly PoolStatus[] {
  const byName = (a: PoolStatus, b: PoolStatus) => (a.actor < b.actor ? -1 : 1);
  const figure = (pool: PoolStatus): number => {
    if (sort === 'lag') return pool.lag;
    return sort === 'busy' ? (busyOf(pool) ?? -1) : sort === 'done' ? pool.donePerSecond : 0;
  };
  return [...status.pools].sort((a, b) => figure(b) - figure(a) || byName(a, b));
}

function selectedPool(state: TopState): PoolStatus | undefined {
  return state.status.pools.find((pool) => pool.actor === state.selected);
}

/** The mean of its threads; null while none is known. */
function busyOf(pool: PoolStatus): number | null {
  const known = pool.threads.map(({ busy }) => busy).filter((busy) => busy !== null);
  return known.length === 0 ? null : known.reduce((sum, busy) => sum + busy, 0) / known.length;
}

/** The oldest that is done now, of any pool: its 95th percentile. */
function ageOf({ pools }: Status): number | null {
  const ages = pools.map(({ ageMs }) => ageMs?.p95).filter((age) => age !== undefined);
  return ages.length === 0 ? null : Math.max(...ages);
}

function withSelection(state: TopState, by: number): TopState {
  const pools = poolsOf(state);
  const at = pools.findIndex((pool) => pool.actor === state.selected);
  const next = pools[Math.min(Math.max(at + by, 0), pools.length - 1)];
  return { ...state, selected: next?.actor ?? null };
}

function withNextSort(state: TopState): TopState {
  const sort = SORTS[(SORTS.indexOf(state.sort) + 1) % SORTS.length] ?? 'name';
  return { ...state, sort, message: { text: `pools sorted by ${sort}`, failed: false } };
}

function added(values: readonly number[], value: number): readonly number[] {
  return [...values, value].slice(-RECENT_MAX);
}

export {
  ageOf,
  busyOf,
  firstState,
  type Panel,
  type PoolVerb,
  poolsOf,
  selectedPool,
  type TopState,
  withLoss,
  withNextSort,
  withSelection,
  withStatus,
};
