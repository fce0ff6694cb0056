/**
 * How many lines each part of the screen gets. What says whether the node is healthy always has its place; the tables share what is left.
 *
 * The sum never exceeds the rows of the terminal while it has eight or more.
 */
import type { Status } from '../../gateway/api/status-schema.js';

interface LayoutInput {
  readonly rows: number;
  readonly pools: number;
  readonly threads: number;
  readonly dependencies: number;
  readonly hasCluster: boolean;
}

/** Lines, the head of a table included; 0: the part is left out. */
interface Layout {
  readonly sparks: number;
  readonly pools: number;
  readonly threads: number;
  readonly dependencies: number;
  readonly cluster: number;
  /** For details and help, which stand where threads, dependencies and cluster do. */
  readonly panel: number;
}

/** Header 2, finding 2, meters 2; status line and keys. */
const FIXED = 8;
const SPARKS = 3;
const POOLS_FIRST = 4;
const THREADS_FIRST = 3;

function layoutOf({ rows, pools, threads, dependencies, hasCluster }: LayoutInput): Layout {
  let left = Math.max(0, rows - FIXED);
  const take = (wanted: number, least: number): number => {
    const taken = Math.min(wanted, left);
    if (taken < least) return 0;
    left -= taken;
    return taken;
  };
  // Most needed first; what is left over then goes to the tables that are longer.
  const firstPools = take(1 + Math.min(pools, POOLS_FIRST), 2);
  const sparks = take(SPARKS, SPARKS);
  const firstThreads = threads === 0 ? 0 : take(1 + Math.min(threads, THREADS_FIRST), 2);
  const dependencyLines = dependencies === 0 ? 0 : take(1 + dependencies, 2);
  const cluster = hasCluster ? take(1, 1) : 0;
  const morePools = firstPools === 0 ? 0 : take(1 + pools - firstPools, 1);
  const moreThreads = firstThreads === 0 ? 0 : take(1 + threads - firstThreads, 1);
  const threadLines = firstThreads + moreThreads;
  return {
    sparks,
    pools: firstPools + morePools,
    threads: threadLines,
    dependencies: dependencyLines,
    cluster,
    panel: threadLines + dependencyLines + cluster + left,
  };
}

/** Of a screen that has room for all but the threads of the pools that are not selected. */
function rowsOfAll({ pools, dependencies, cluster }: Status): number {
  const threads = Math.max(0, ...pools.map((pool) => pool.threads.length));
  return FIXED + SPARKS + pools.length + threads + dependencies.length + 3 + (cluster === null ? 0 : 1);
}

/** The first of `shown` rows of `count`, so that the row at `selected` is among them. */
function windowStart(count: number, shown: number, selected: number): number {
  return Math.min(Math.max(0, selected - Math.floor(shown / 2)), Math.max(0, count - shown));
}

export { layoutOf, rowsOfAll, windowStart };
