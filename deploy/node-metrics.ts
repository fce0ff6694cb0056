/** Series of the log, the actors and the database, read at each scrape. `docs/reference/metrics.md` explains them. */

import { Counter } from 'prom-client';
import type { GatewayMetrics } from '../gateway/index.js';
import type { AgentStats } from '../runtime/cluster/agent.js';
import type { EventStream } from '../runtime/event-stream.js';
import type { HistogramCounts } from '../runtime/measure/histogram.js';
import type { LoopSample } from '../runtime/measure/loop-meter.js';
import type { SystemMeasures } from '../runtime/measure/system-meter.js';
import type { LogState } from '../runtime/message-log.js';
import type { ActorStats, PoolMode } from '../runtime/pool/actor-stats.js';
import type { SystemStats } from '../runtime/system-stats.js';
import { registerDependencyMetrics } from './dependency-metrics.js';
import type { NodeLogStats } from './node-log.js';
import { registerPoolMetrics } from './pool-metrics.js';

/** What is read of a node. */
export interface MeasuredNode {
  readonly log: {
    lag(): number;
    /** In the partition that has most. */
    lagMax(): number;
    state(): LogState;
    stats(): NodeLogStats;
    commitTimes(): HistogramCounts;
  };
  /** Deliveries to actors, for the sake of webhooks; since the start. */
  readonly deferredMs: () => number;
  /** Undefined while this node is alone. */
  readonly cluster: () => AgentStats | undefined;
  readonly system: {
    stats(): Pick<SystemStats, 'actors' | 'deadLettersWritten'>;
    measures(): SystemMeasures;
  };
  /** Of the main thread, in the last second. */
  readonly main: () => LoopSample;
  /** As of at most 15 seconds ago; null before they were counted. */
  readonly deadLettersWaiting: () => number | null;
  readonly events: Pick<EventStream, 'listen'>;
  /** `ok`, or what is the matter. */
  readonly databaseState: () => string;
  readonly uploads: {
    readonly mode: string;
    /** Coming in. */
    readonly active: number;
  };
}

export function registerNodeMetrics(
  metrics: GatewayMetrics,
  {
    log,
    cluster,
    deferredMs,
    system,
    main,
    events,
    deadLettersWaiting,
    databaseState,
    uploads,
  }: MeasuredNode,
): void {
  const sum = (read: (actor: ActorStats) => number) => () =>
    system.stats().actors.reduce((total, actor) => total + read(actor), 0);
  metrics.gauge('tether_log_lag_messages', 'Messages acknowledged and not done', () => log.lag());
  metrics.gauge(
    'tether_log_lag_partition_max',
    'Messages acknowledged and not done in the partition that has most of them',
    () => log.lagMax(),
  );
  metrics.histogram(
    'tether_log_commit_seconds',
    'Time of a group commit: written and synced, or answered by Redis',
    () => [{ labels: {}, counts: log.commitTimes() }],
  );
  metrics.gauge('tether_log_open', '1 while the log takes messages', () => Number(log.state() === 'open'));
  metrics.gauge(
    'tether_log_bytes',
    'Bytes of the journal on the disk, or of Redis in memory',
    () => log.stats().bytes,
  );
  metrics.gauge(
    'tether_log_bytes_max',
    'Bytes from which on senders are refused; actors that pass messages on may use more; +Inf when there is no limit',
    () => log.stats().bytesMax ?? Number.POSITIVE_INFINITY,
  );
  metrics.counter('tether_log_commits_total', 'Group commits', () => log.stats().commits);
  metrics.counter('tether_log_appended_total', 'Messages appended', () => log.stats().appended);
  metrics.counter(
    'tether_actor_done_total',
    'Messages handled, dead letters among them',
    sum(({ done }) => done),
  );
  metrics.gauge(
    'tether_actor_in_flight',
    'Messages that threads have',
    sum(({ inFlight }) => inFlight),
  );
  metrics.counter(
    'tether_actor_deferred_seconds_total',
    'Time in which nothing was sent to actors, so that webhooks were answered first',
    () => deferredMs() / 1_000,
  );
  metrics.counter(
    'tether_actor_threads_lost_total',
    'Worker threads that ended unasked',
    sum(({ threadsLost }) => threadsLost),
  );
  countEvents(metrics, events);
  measurePauses(metrics, system);
  measureCluster(metrics, cluster);
  registerPoolMetrics(metrics, system, main);
  registerDependencyMetrics(metrics, system);
  metrics.gauge(
    'tether_actor_live',
    'Activations alive',
    sum(({ live }) => live),
  );
  metrics.gauge(
    'tether_actor_delay_seconds',
    'How long a message waited lately before an actor began with it, in the slowest pool',
    () => Math.max(0, ...system.stats().actors.map(({ delayMs }) => delayMs)) / 1_000,
  );
  metrics.gauge(
    'tether_actor_outages',
    'Running actor types that wait for what they depend on; tether_database_ready tells before they run',
    sum(({ outage }) => Number(outage !== undefined)),
  );
  metrics.counter(
    'tether_dead_letters_written_total',
    'Messages that became dead letters',
    () => system.stats().deadLettersWritten,
  );
  metrics.gauge(
    'tether_dead_letters_waiting',
    'Dead letters that wait for somebody; NaN while nobody knows',
    () => deadLettersWaiting() ?? Number.NaN,
  );
  metrics.gauge(
    'tether_database_ready',
    '1 while the schema is up to date and nothing says that the server is away',
    () => Number(databaseState() === 'ok'),
  );
  metrics.gauge('tether_uploads_active', 'Uploads that are coming in', () => uploads.active);
  metrics.gauge('tether_objects_ready', '1 once the object store could be used', () =>
    Number(uploads.mode === 'ready'),
  );
}

function measureCluster(metrics: GatewayMetrics, cluster: MeasuredNode['cluster']): void {
  metrics.gauge(
    'tether_cluster_nodes',
    'Nodes that share the partitions, as this one sees it; 0 when it is alone',
    () => cluster()?.nodes.length ?? 0,
  );
  metrics.gauge(
    'tether_cluster_partitions_owned',
    'Partitions that this node reads for the cluster',
    () => cluster()?.owned.length ?? 0,
  );
  metrics.counter(
    'tether_cluster_leases_lost_total',
    'Leases that ended before they were given back',
    () => cluster()?.lost ?? 0,
  );
}

function measurePauses(metrics: GatewayMetrics, system: MeasuredNode['system']): void {
  metrics.gauges(
    'tether_actor_pool_paused',
    '1 while the pool is paused, or has drained and takes nothing',
    ['actor'],
    () =>
      system.stats().actors.map(({ actor, mode }) => ({ labels: { actor }, value: Number(isHeld(mode)) })),
  );
}

function isHeld(mode: PoolMode): boolean {
  return mode === 'paused' || mode === 'drained';
}

/** The only count of what happens to actors. */
function countEvents(metrics: GatewayMetrics, events: MeasuredNode['events']): void {
  const counter = new Counter({
    name: 'tether_actor_events_total',
    help: 'What happened to actors and their threads, by kind',
    labelNames: ['actor', 'kind'],
    registers: [metrics.registry],
  });
  events.listen((event) => {
    const kind = event.kind === 'dropped' ? `dropped-${event.reason}` : event.kind;
    counter.inc({ actor: event.actor, kind }, 'count' in event ? event.count : 1);
  });
}
