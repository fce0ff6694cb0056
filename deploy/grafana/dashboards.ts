/**
 * The three dashboards: what is seen first, what actors and threads do, and what the node stands on.
 *
 * The first row of the first one answers whether somebody has to act; every further row says more about one of its numbers.
 */
import type { Dashboard, Panel, Query, Variable } from './dashboard.js';

const NODES = 'job=~"$job", instance=~"$node"';
const ACTORS = `${NODES}, actor=~"$actor"`;
const RATE = '[$__rate_interval]';

const job: Variable = {
  name: 'job',
  label: 'Job',
  query: 'label_values(tether_log_open, job)',
  many: false,
};
const node: Variable = {
  name: 'node',
  label: 'Node',
  query: 'label_values(tether_log_open{job=~"$job"}, instance)',
  many: true,
};
const actor: Variable = {
  name: 'actor',
  label: 'Actor type',
  query: `label_values(tether_actor_pool_paused{${NODES}}, actor)`,
  many: true,
};

/** The sum of a counter's rates. */
function rate(name: string, matchers: string, by = ''): string {
  const sum = `sum${by === '' ? '' : ` by (${by})`}`;
  return `${sum} (rate(${name}{${matchers}}${RATE}))`;
}

function quantile(share: number, histogram: string, matchers: string, by = ''): string {
  const labels = by === '' ? 'le' : `${by}, le`;
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${histogram}_bucket{${matchers}}${RATE})))`;
}

/** p50, p95 and p99 of a histogram of seconds. */
function quantiles(histogram: string, matchers: string): readonly Query[] {
  return [0.5, 0.95, 0.99].map((share) => ({
    expr: quantile(share, histogram, matchers),
    legend: `p${share * 100}`,
    exemplar: true,
  }));
}

/** p95 of each actor type. */
const perActor = (title: string, histogram: string, description: string): Panel => ({
  type: 'timeseries',
  title,
  description,
  unit: 's',
  width: 8,
  queries: [{ expr: quantile(0.95, histogram, ACTORS, 'actor'), legend: '{{actor}}' }],
});

const OVERVIEW: Dashboard = {
  uid: 'tether-overview',
  title: 'Tether overview',
  description: 'Is it healthy, how much does it do, and how fast',
  variables: [job, node],
  rows: [
    {
      title: 'Health',
      panels: [
        {
          type: 'stat',
          title: 'Alerts firing',
          description: 'Each has its section in docs/how-to/alerts.md.',
          unit: 'none',
          width: 4,
          limits: { critical: 1 },
          queries: [
            {
              expr: 'count(ALERTS{alertname=~"Tether.+", alertstate="firing"}) or vector(0)',
              legend: 'alerts',
            },
          ],
        },
        {
          type: 'stat',
          title: 'Nodes down',
          description: 'Nodes whose /metrics does not answer.',
          unit: 'none',
          width: 4,
          limits: { critical: 1 },
          queries: [{ expr: `count(up{${NODES}} == 0) or vector(0)`, legend: 'down' }],
        },
        {
          type: 'stat',
          title: 'Logs take messages',
          description: 'No: senders of at least one node get 503.',
          unit: 'bool_yes_no',
          width: 4,
          limits: { critical: 1, low: true },
          queries: [{ expr: `min(tether_log_open{${NODES}})`, legend: 'open' }],
        },
        {
          type: 'stat',
          title: 'Postgres is there',
          description: 'No: messages are taken and none is done.',
          unit: 'bool_yes_no',
          width: 4,
          limits: { critical: 1, low: true },
          queries: [{ expr: `min(tether_database_ready{${NODES}})`, legend: 'ready' }],
        },
        {
          type: 'stat',
          title: 'Log in use',
          description: 'The fullest one. At 100 % senders get 503.',
          unit: 'percentunit',
          width: 4,
          limits: { warning: 0.6, critical: 0.8 },
          queries: [
            { expr: `max(tether_log_bytes{${NODES}} / tether_log_bytes_max{${NODES}})`, legend: 'used' },
          ],
        },
        {
          type: 'stat',
          title: 'Dead letters waiting',
          description: 'Messages that somebody has to replay or drop.',
          unit: 'short',
          width: 4,
          limits: { warning: 1, critical: 100 },
          queries: [{ expr: `max(tether_dead_letters_waiting{${NODES}})`, legend: 'waiting' }],
        },
      ],
    },
    {
      title: 'Objectives',
      panels: [
        {
          type: 'timeseries',
          title: 'Acknowledgement time',
          description:
            'From the head of a request to its answer. p95 is to stay below 100 ms, p99 below 200 ms. A dot is one request: it leads to its trace.',
          unit: 's',
          width: 12,
          queries: quantiles('tether_gateway_acknowledge_seconds', NODES),
        },
        {
          type: 'timeseries',
          title: 'Burn rate of the budgets, last hour',
          description: 'At 1 the budget is gone in 30 days, at 14.4 in two.',
          unit: 'none',
          width: 12,
          limits: { warning: 1, critical: 14.4 },
          queries: [
            {
              expr: 'job:tether_acknowledge_over_100ms:ratio_rate1h{job=~"$job"} / 0.05',
              legend: 'p95 < 100 ms',
            },
            {
              expr: 'job:tether_acknowledge_over_200ms:ratio_rate1h{job=~"$job"} / 0.01',
              legend: 'p99 < 200 ms',
            },
            { expr: 'job:tether_gateway_errors:ratio_rate1h{job=~"$job"} / 0.01', legend: 'errors < 1 %' },
          ],
        },
      ],
    },
    {
      title: 'Throughput',
      panels: [
        {
          type: 'timeseries',
          title: 'Messages',
          description: 'Where done stays below acknowledged, the lag grows.',
          unit: 'ops',
          width: 12,
          queries: [
            {
              expr: rate('tether_gateway_requests_total', `${NODES}, outcome="acknowledged"`),
              legend: 'acknowledged',
            },
            { expr: rate('tether_actor_done_total', NODES), legend: 'done' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Requests that were not acknowledged',
          description:
            'log_full, log_closed, draining and lost_unanswered are ours; the others are of the senders.',
          unit: 'reqps',
          width: 12,
          stacked: true,
          queries: [
            {
              expr: rate('tether_gateway_requests_total', `${NODES}, outcome!="acknowledged"`, 'outcome'),
              legend: '{{outcome}}',
            },
            {
              expr: rate('tether_gateway_unknown_endpoint_total', NODES),
              legend: 'unknown endpoint or token',
            },
          ],
        },
        {
          type: 'heatmap',
          title: 'Acknowledgements by their time',
          description: 'What the percentiles hide: two humps are two kinds of requests, or a pause.',
          unit: 's',
          width: 12,
          queries: [
            {
              expr: rate('tether_gateway_acknowledge_seconds_bucket', NODES, 'le'),
              legend: '{{le}}',
              exemplar: true,
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'Messages between the socket and the log, and uploads coming in',
          description: 'Both have a limit; near it requests wait or are refused.',
          unit: 'short',
          width: 12,
          queries: [
            { expr: `sum(tether_gateway_pending{${NODES}})`, legend: 'messages' },
            { expr: `sum(tether_uploads_active{${NODES}})`, legend: 'uploads' },
          ],
        },
      ],
    },
    {
      title: 'Behind the answer',
      panels: [
        {
          type: 'timeseries',
          title: 'Lag',
          description:
            'Messages acknowledged and not done. One partition that has nearly all of it is one key, or few.',
          unit: 'short',
          width: 8,
          queries: [
            { expr: `sum by (instance) (tether_log_lag_messages{${NODES}})`, legend: '{{instance}}' },
            { expr: `max(tether_log_lag_partition_max{${NODES}})`, legend: 'largest of any partition' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Age when done, p95',
          description: 'From the acknowledgement to the effect.',
          unit: 's',
          width: 8,
          queries: [
            { expr: quantile(0.95, 'tether_message_age_seconds', NODES, 'actor'), legend: '{{actor}}' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Dead letters',
          description: 'Messages that were given up, in the last five minutes.',
          unit: 'short',
          width: 8,
          queries: [
            {
              expr: `sum by (instance) (increase(tether_dead_letters_written_total{${NODES}}[5m]))`,
              legend: '{{instance}}',
            },
          ],
        },
      ],
    },
  ],
};

const ACTORS_AND_THREADS: Dashboard = {
  uid: 'tether-actors',
  title: 'Tether actors and threads',
  description: 'Which type is slow, and whether it waits, works or has too few threads',
  variables: [job, node, actor],
  rows: [
    {
      title: 'Where the time goes, p95',
      panels: [
        perActor(
          'On the log',
          'tether_log_wait_seconds',
          'From the acknowledgement until a thread has it. Long: too few threads, or a pool that is paused.',
        ),
        perActor(
          'In the thread',
          'tether_actor_queue_seconds',
          'Until an actor begins with it. Long: the thread is busy, or the key has many before it.',
        ),
        perActor('At work', 'tether_actor_turn_seconds', 'One call of receive. Long: what it calls is slow.'),
      ],
    },
    {
      title: 'Pools',
      panels: [
        {
          type: 'timeseries',
          title: 'Calls of receive',
          description: 'Each handles a batch.',
          unit: 'ops',
          width: 8,
          queries: [{ expr: rate('tether_actor_turn_seconds_count', ACTORS, 'actor'), legend: '{{actor}}' }],
        },
        {
          type: 'timeseries',
          title: 'Deepest mailbox',
          description: 'Of one key. A deep one is one key with too much to do: more threads do not help it.',
          unit: 'short',
          width: 8,
          queries: [{ expr: `max by (actor) (tether_actor_mailbox_max{${ACTORS}})`, legend: '{{actor}}' }],
        },
        {
          type: 'timeseries',
          title: 'In work and alive',
          description: 'Messages that threads have, and activations in memory.',
          unit: 'short',
          width: 8,
          queries: [
            { expr: `sum(tether_actor_in_flight{${NODES}})`, legend: 'messages in flight' },
            { expr: `sum(tether_actor_live{${NODES}})`, legend: 'activations' },
          ],
        },
        {
          type: 'state-timeline',
          title: 'Pools paused',
          description: 'Red: it takes nothing, by order of somebody.',
          unit: 'bool_yes_no',
          width: 12,
          limits: { critical: 1 },
          queries: [
            {
              expr: `max by (actor, instance) (tether_actor_pool_paused{${ACTORS}})`,
              legend: '{{actor}} {{instance}}',
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'Types that wait for what they depend on',
          description: 'Their messages are kept on the log.',
          unit: 'none',
          width: 12,
          queries: [{ expr: `tether_actor_outages{${NODES}}`, legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Threads',
      panels: [
        {
          type: 'timeseries',
          title: 'Busy',
          description:
            'Share of the last second at work. All near 1: more threads help while there is CPU. None near 1 and a lag: they wait for something.',
          unit: 'percentunit',
          width: 12,
          max: 1,
          queries: [
            { expr: `tether_thread_busy_ratio{${ACTORS}}`, legend: '{{actor}} {{thread}} {{instance}}' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Longest delay of the event loop',
          description: 'Of the last second. That of the main thread is part of each acknowledgement.',
          unit: 's',
          width: 12,
          queries: [
            {
              expr: `tether_thread_event_loop_delay_seconds{${NODES}, thread="main"}`,
              legend: 'main {{instance}}',
            },
            {
              expr: `tether_thread_event_loop_delay_seconds{${ACTORS}, thread!="main"}`,
              legend: '{{actor}} {{thread}} {{instance}}',
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'Heap',
          description: 'A thread that passes its limit ends, and another one takes its work.',
          unit: 'bytes',
          width: 12,
          queries: [
            { expr: `tether_thread_heap_bytes{${ACTORS}}`, legend: '{{actor}} {{thread}} {{instance}}' },
            {
              expr: `max by (actor) (tether_thread_heap_bytes_max{${ACTORS}})`,
              legend: 'limit of {{actor}}',
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'What happened',
          description: 'In five minutes, without the coming and going of activations.',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: `sum by (actor, kind) (increase(tether_actor_events_total{${ACTORS}, kind!~"activated|passivated"}[5m])) > 0`,
              legend: '{{actor}} {{kind}}',
            },
            { expr: `sum(increase(tether_actor_threads_lost_total{${NODES}}[5m]))`, legend: 'threads lost' },
          ],
        },
      ],
    },
  ],
};

const DEPENDENCIES: Dashboard = {
  uid: 'tether-dependencies',
  title: 'Tether dependencies',
  description: 'What a node stands on: log, Postgres, object store, Redis, other nodes, its machine',
  variables: [job, node],
  rows: [
    {
      title: 'Servers',
      panels: [
        {
          type: 'timeseries',
          title: 'Calls',
          description: 'Of Postgres, the object store and Redis.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: rate('tether_dependency_call_seconds_count', NODES, 'dependency'),
              legend: '{{dependency}}',
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'Time of a call, p95',
          description: 'Calls that end at a time limit are an overload.',
          unit: 's',
          width: 8,
          queries: [
            {
              expr: quantile(0.95, 'tether_dependency_call_seconds', NODES, 'dependency'),
              legend: '{{dependency}}',
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'Calls that fail',
          description: 'They are repeated, so a server is slow before it is away.',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: rate('tether_dependency_failures_total', NODES, 'dependency'), legend: '{{dependency}}' },
          ],
        },
        {
          type: 'state-timeline',
          title: 'Postgres is there',
          description: 'Red: its schema is older, or it is away.',
          unit: 'bool_yes_no',
          width: 12,
          limits: { critical: 1, low: true },
          queries: [{ expr: `tether_database_ready{${NODES}}`, legend: '{{instance}}' }],
        },
        {
          type: 'state-timeline',
          title: 'The object store is there',
          description: 'Red: it could not be used since the start.',
          unit: 'bool_yes_no',
          width: 12,
          limits: { critical: 1, low: true },
          queries: [{ expr: `tether_objects_ready{${NODES}}`, legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Log',
      panels: [
        {
          type: 'timeseries',
          title: 'Time of a group commit',
          description: 'Part of each acknowledgement: the disk of the journal, or Redis.',
          unit: 's',
          width: 8,
          queries: quantiles('tether_log_commit_seconds', NODES),
        },
        {
          type: 'timeseries',
          title: 'Messages to a commit',
          description: 'It grows with the load: what comes during a commit forms the next one.',
          unit: 'short',
          width: 8,
          queries: [
            {
              expr: `${rate('tether_log_appended_total', NODES, 'instance')} / ${rate('tether_log_commits_total', NODES, 'instance')}`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'Space in use',
          description: 'Of what it may have; at 100 % senders get 503.',
          unit: 'percentunit',
          width: 8,
          max: 1,
          limits: { warning: 0.6, critical: 0.8 },
          queries: [
            { expr: `tether_log_bytes{${NODES}} / tether_log_bytes_max{${NODES}}`, legend: '{{instance}}' },
          ],
        },
      ],
    },
    {
      title: 'Cluster',
      panels: [
        {
          type: 'timeseries',
          title: 'Nodes',
          description: 'As each of them sees it. Where they disagree, one is cut off.',
          unit: 'none',
          width: 8,
          queries: [{ expr: `tether_cluster_nodes{${NODES}}`, legend: '{{instance}}' }],
        },
        {
          type: 'timeseries',
          title: 'Partitions',
          description: 'Read by each node. The sum is that of all partitions of all types.',
          unit: 'none',
          width: 8,
          stacked: true,
          queries: [{ expr: `tether_cluster_partitions_owned{${NODES}}`, legend: '{{instance}}' }],
        },
        {
          type: 'timeseries',
          title: 'Leases lost',
          description: 'In five minutes: a node that was paused, or Redis that was away.',
          unit: 'short',
          width: 8,
          queries: [
            { expr: `increase(tether_cluster_leases_lost_total{${NODES}}[5m])`, legend: '{{instance}}' },
          ],
        },
      ],
    },
    {
      title: 'Process',
      panels: [
        {
          type: 'timeseries',
          title: 'CPU',
          description: 'In cores, of all threads.',
          unit: 'none',
          width: 8,
          queries: [{ expr: `rate(process_cpu_seconds_total{${NODES}}${RATE})`, legend: '{{instance}}' }],
        },
        {
          type: 'timeseries',
          title: 'Memory',
          description: 'Resident, of the whole process.',
          unit: 'bytes',
          width: 8,
          queries: [{ expr: `process_resident_memory_bytes{${NODES}}`, legend: '{{instance}}' }],
        },
        {
          type: 'timeseries',
          title: 'File handles in use',
          description: 'Of what the process may open; a connection is one.',
          unit: 'percentunit',
          width: 8,
          limits: { warning: 0.6, critical: 0.9 },
          queries: [
            { expr: `process_open_fds{${NODES}} / process_max_fds{${NODES}}`, legend: '{{instance}}' },
          ],
        },
      ],
    },
  ],
};

/** By the name of the file. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  'overview.json': OVERVIEW,
  'actors.json': ACTORS_AND_THREADS,
  'dependencies.json': DEPENDENCIES,
};
