/** The dashboard of what is seen first. */
import type { Dashboard } from './dashboard.js';
import { job, NODES, node, quantile, quantiles, rate } from './queries.js';

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
        {
          type: 'timeseries',
          title: 'Endpoints, and their file',
          description: 'A file that is refused changes nothing: the node serves on what it read before.',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: `max by (source, served) (tether_endpoints{${NODES}})`,
              legend: 'from {{source}}, served: {{served}}',
            },
            { expr: `sum(tether_endpoints_file_refused{${NODES}})`, legend: 'nodes that refuse their file' },
            {
              expr: rate('tether_endpoints_reloads_total', NODES, 'result'),
              legend: 'read anew, {{result}}',
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'Bodies longer than 64 KiB, on their way in',
          description: 'At 64 MiB their senders get 503.',
          unit: 'bytes',
          width: 12,
          queries: [
            { expr: `sum by (instance) (tether_gateway_large_body_bytes{${NODES}})`, legend: '{{instance}}' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Connections, and who was turned away',
          description:
            'At TETHER_CONNECTIONS_MAX one more is closed at once. Tokens that are refused: somebody tries, or has an old one.',
          unit: 'short',
          width: 12,
          queries: [
            { expr: `sum by (instance) (tether_gateway_connections{${NODES}})`, legend: '{{instance}}' },
            {
              expr: rate('tether_gateway_connections_refused_total', NODES),
              legend: 'closed at once, a second',
            },
            { expr: rate('tether_gateway_token_refused_total', NODES), legend: 'tokens refused, a second' },
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

export { OVERVIEW };
