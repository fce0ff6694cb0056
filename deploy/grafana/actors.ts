/** The dashboard of what actors and threads do. */
import type { Dashboard } from './dashboard.js';
import { ACTORS, actor, job, NODES, node, perActor, rate } from './queries.js';

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
          width: 8,
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
          width: 8,
          queries: [{ expr: `tether_actor_outages{${NODES}}`, legend: '{{instance}}' }],
        },
        {
          type: 'timeseries',
          title: 'Answers first',
          description:
            'Share of the time in which nothing was sent to actors, since webhooks came faster than the main thread got a core. Often: more cores, or another node.',
          unit: 'percentunit',
          width: 8,
          queries: [
            { expr: rate('tether_actor_deferred_seconds_total', NODES, 'instance'), legend: '{{instance}}' },
          ],
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

export { ACTORS_AND_THREADS };
