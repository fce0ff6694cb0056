/** The tables of `tether top`: pools, the threads of the selected one, dependencies, and the nodes of the cluster in one line. */
import { Text } from 'ink';
import type { ReactElement } from 'react';
import type { PoolStatus, Status } from '../../gateway/api/status-schema.js';
import { printable } from '../commands/table.js';
import { barText, bytesText, countText, msText } from './format.js';
import { windowStart } from './layout.js';
import { busyOf, poolsOf, selectedPool, type TopState } from './state.js';
import { type Column, Table } from './table.js';
import type { Theme } from './theme.js';

type Thread = PoolStatus['threads'][number];
type Dependency = Status['dependencies'][number];

interface TableProps {
  readonly state: TopState;
  readonly theme: Theme;
  readonly width: number;
  /** The head included. */
  readonly lines: number;
}

const NAME_MIN = 8;
const NAME_MAX = 24;

function poolColumns(pools: readonly PoolStatus[]): readonly Column<PoolStatus>[] {
  const longest = Math.max(NAME_MIN, ...pools.map(({ actor }) => actor.length));
  const right = { align: 'right' } as const;
  return [
    { head: 'POOL', width: Math.min(longest, NAME_MAX), align: 'left', rank: 0, text: ({ actor }) => actor },
    { head: 'MODE', width: 8, align: 'left', rank: 1, text: modeText },
    { head: 'THREADS', width: 8, ...right, rank: 2, text: threadsText },
    { head: 'BUSY', width: 11, ...right, rank: 3, text: (pool) => barText(busyOf(pool), 11) },
    { head: 'DONE/S', width: 6, ...right, rank: 5, text: ({ donePerSecond }) => countText(donePerSecond) },
    { head: 'FLIGHT', width: 6, ...right, rank: 10, text: ({ inFlight }) => countText(inFlight) },
    { head: 'LAG', width: 5, ...right, rank: 4, text: ({ lag }) => countText(lag) },
    { head: 'BEHIND', width: 6, ...right, rank: 6, text: ({ behindMs }) => msText(behindMs) },
    { head: 'QUEUE', width: 5, ...right, rank: 9, text: ({ queueMs }) => msText(queueMs?.p95) },
    { head: 'TURN', width: 5, ...right, rank: 8, text: ({ turnMs }) => msText(turnMs?.p95) },
    { head: 'AGE', width: 5, ...right, rank: 7, text: ({ ageMs }) => msText(ageMs?.p95) },
  ];
}

/** What keeps a pool from working says more than its mode. */
function modeText({ mode, outage, unstable, resizing }: PoolStatus): string {
  if (outage !== null && mode === 'running') return 'outage';
  if (unstable) return 'unstable';
  return resizing && mode === 'running' ? 'resizing' : mode;
}

/** How many there are, and of what range; `*`: what is set is not what the file says. */
function threadsText({ threads, min, max, settings }: PoolStatus): string {
  const range = min === max ? `${threads.length}/${max}` : `${threads.length}/${min}-${max}`;
  return settings.differs ? `${range}*` : range;
}

function Pools({ state, theme, width, lines }: TableProps): ReactElement {
  const pools = poolsOf(state);
  const at = pools.findIndex(({ actor }) => actor === state.selected);
  const start = windowStart(pools.length, lines - 1, at);
  return (
    <Table
      columns={poolColumns(pools)}
      rows={pools.slice(start)}
      width={width}
      theme={theme}
      lines={lines}
      keyOf={({ actor }) => actor}
      isSelected={({ actor }) => actor === state.selected}
      isBad={(pool) => pool.outage !== null || pool.unstable || pool.mode !== 'running'}
    />
  );
}

const THREAD_COLUMNS: readonly Column<Thread>[] = [
  { head: 'THREAD', width: 8, align: 'left', rank: 0, text: ({ thread }) => `${thread}` },
  { head: 'MODE', width: 8, align: 'left', rank: 1, text: ({ mode }) => printable(mode) },
  { head: 'PARTS', width: 8, align: 'right', rank: 4, text: ({ partitions }) => countText(partitions) },
  { head: 'BUSY', width: 11, align: 'right', rank: 2, text: ({ busy }) => barText(busy, 11) },
  { head: 'LOOP MS', width: 7, align: 'right', rank: 3, text: (thread) => msText(thread.eventLoopDelayMs) },
  { head: 'HEAP', width: 6, align: 'right', rank: 5, text: ({ heapBytes }) => bytesText(heapBytes) },
];

function Threads({ state, theme, width, lines }: TableProps): ReactElement {
  return (
    <Table
      columns={THREAD_COLUMNS}
      rows={selectedPool(state)?.threads ?? []}
      width={width}
      theme={theme}
      lines={lines}
      keyOf={({ thread }) => `${thread}`}
    />
  );
}

const DEPENDENCY_COLUMNS: readonly Column<Dependency>[] = [
  { head: 'NEEDS', width: 8, align: 'left', rank: 0, text: ({ name }) => name },
  { head: 'CALLS/S', width: 8, align: 'right', rank: 2, text: (each) => countText(each.callsPerSecond) },
  { head: 'P95 MS', width: 7, align: 'right', rank: 3, text: ({ callMs }) => msText(callMs?.p95) },
  { head: 'FAILS/S', width: 7, align: 'right', rank: 4, text: (each) => countText(each.failuresPerSecond) },
  { head: 'STATE', width: 20, align: 'left', rank: 1, text: ({ state }) => printable(state) },
];

function Dependencies({ state, theme, width, lines }: TableProps): ReactElement {
  return (
    <Table
      columns={DEPENDENCY_COLUMNS}
      rows={state.status.dependencies}
      width={width}
      theme={theme}
      lines={lines}
      keyOf={({ name }) => name}
      isBad={({ state }) => state !== 'ok'}
    />
  );
}

function Cluster({ state, theme }: Omit<TableProps, 'lines'>): ReactElement | null {
  const { cluster } = state.status;
  if (cluster === null) return null;
  const { node, nodes, gateways, owned, partitions } = cluster;
  const names = [...nodes, ...gateways]
    .map((name) => (name === node ? `${name} (this)` : name))
    .map(printable);
  return (
    <Text wrap="truncate">
      <Text {...theme.label}>{`CLUSTER ${names.length} nodes`}</Text>
      {`  this one reads ${owned} of ${partitions} partitions  ${names.join(', ')}`}
    </Text>
  );
}

export { Cluster, Dependencies, Pools, Threads };
