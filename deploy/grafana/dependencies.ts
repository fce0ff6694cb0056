/** The dashboard of what the node stands on. */
import type { Dashboard } from './dashboard.js';
import { job, NODES, node, quantile, quantiles, RATE, rate } from './queries.js';

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
          description:
            'Of what senders may fill; at 100 % they get 503. Beyond it is what actors passed on, to 400 % at most.',
          unit: 'percentunit',
          width: 8,
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

export { DEPENDENCIES };
