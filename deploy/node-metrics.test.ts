/** The series of a node, and the page that explains them. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { startTestGateway } from '../gateway/test/start.js';
import { EventStream } from '../runtime/event-stream.js';
import { silentLogger } from '../runtime/logger.js';
import { Histogram, type HistogramCounts } from '../runtime/measure/histogram.js';
import type { ActorStats } from '../runtime/pool/actor-stats.js';
import { registerEndpointMetrics } from './endpoints/health.js';
import { registerNodeMetrics } from './node-metrics.js';

const SETTINGS = { min: 1, max: 1, batchMax: 500, lingerMs: 20, inFlightMax: 2_048 };
const actor = (done: number): ActorStats => ({
  actor: 'payment',
  mode: 'running',
  threads: [],
  min: 1,
  max: 1,
  resizing: false,
  partitions: [],
  threadStats: [
    { thread: 0, mode: 'ready', partitions: 3, loop: loop(0.25) },
    { thread: 1, mode: 'starting', partitions: 0, loop: undefined },
  ],
  lag: 0,
  lagMax: 0,
  mailboxMax: 6,
  delayMs: 0,
  done,
  inFlight: 2,
  asksPending: 0,
  live: 0,
  threadsLost: 1,
  unstable: false,
  outage: undefined,
  broken: [],
  unreadable: [],
  settings: { current: SETTINGS, file: SETTINGS, differs: false },
});

const loop = (busy: number) => ({ busy, eventLoopDelayMs: 30, heapBytes: 5_000, heapBytesMax: 9_000 });

function times(seconds: readonly number[]): HistogramCounts {
  const histogram = new Histogram();
  for (const each of seconds) histogram.observe(each * 1_000);
  return histogram.counts();
}

const events = new EventStream(silentLogger);

async function registryOf(test: Test, node: { done: number; waiting?: number } = { done: 40, waiting: 3 }) {
  const { metrics } = await startTestGateway(test);
  const secret = { reference: null, digest: '0123abcd' };
  const about = { provider: 'emp', token: secret, secrets: [secret], settings: {}, problems: [] };
  const changed = { changedAt: null, changedBy: null };
  registerEndpointMetrics(metrics, {
    list: () => [
      { ...about, ...changed, name: 'emp', source: 'file', served: true },
      { ...about, ...changed, name: 'shop', source: 'api', served: true },
      { ...about, ...changed, name: 'store', source: 'api', served: true },
    ],
    file: () => ({ path: 'x', readAt: null, problems: ['something'] }),
    reloads: { taken: 6, refused: 2 },
  });
  registerNodeMetrics(metrics, {
    log: {
      lag: () => 7,
      state: () => 'open',
      lagMax: () => 4,
      stats: () => ({ bytes: 1000, bytesMax: null, commits: 3, appended: 50 }),
      commitTimes: () => times([0.004]),
    },
    main: () => loop(0.5),
    deadLettersWaiting: () => node.waiting ?? null,
    cluster: () => ({
      mode: 'active',
      nodes: ['a', 'b'],
      gateways: [],
      owners: new Map(),
      placed: 32,
      owned: [1, 2, 3],
      lost: 5,
    }),
    system: {
      stats: () => ({
        actors: [actor(node.done), { ...actor(2), actor: 'upload', threadStats: [], mailboxMax: 0 }],
        deadLettersWritten: 4,
      }),
      measures: () => ({
        pools: [
          {
            actor: 'payment',
            times: { logWait: times([0.02]), queue: times([]), turn: times([0.0004, 2]), age: times([99]) },
            hottest: [{ key: 'a-secret-key', perSecond: 9 }],
            deepest: [{ key: 'a-secret-key', depth: 9 }],
          },
        ],
        dependencies: [{ dependency: 'postgres', times: times([0.003, 0.1]), failures: 2 }],
      }),
    },
    events,
    deferredMs: () => 2_500,
    databaseState: () => 'ok',
    uploads: { mode: 'ready', active: 3 },
  });
  return metrics.registry;
}

t.test('counts are counters and have their value at each scrape', async (t) => {
  const node = { done: 40 };
  const registry = await registryOf(t, node);
  for (const done of [40, 41]) {
    node.done = done;
    const lines = (await registry.metrics()).split('\n');
    for (const line of [
      '# TYPE tether_actor_done_total counter',
      `tether_actor_done_total ${done + 2}`,
      'tether_actor_deferred_seconds_total 2.5',
      'tether_actor_threads_lost_total 2',
      'tether_uploads_active 3',
      'tether_cluster_nodes 2',
      'tether_cluster_partitions_owned 3',
      'tether_cluster_leases_lost_total 5',
      'tether_objects_ready 1',
      'tether_dead_letters_written_total 4',
      'tether_log_appended_total 50',
      'tether_log_bytes_max +Inf',
      'tether_log_lag_messages 7',
      'tether_log_lag_partition_max 4',
      'tether_database_ready 1',
    ]) {
      t.ok(lines.includes(line), line);
    }
  }
});

t.test('a pool that is paused or has drained is told from one that works', async (t) => {
  const { metrics } = await startTestGateway(t);
  registerNodeMetrics(metrics, {
    log: {
      lag: () => 0,
      lagMax: () => 0,
      state: () => 'open',
      stats: () => ({ bytes: 1, bytesMax: 8, commits: 0, appended: 0 }),
      commitTimes: () => times([]),
    },
    main: () => loop(0),
    deadLettersWaiting: () => null,
    cluster: () => undefined,
    system: {
      stats: () => ({
        actors: (['running', 'paused', 'draining', 'drained'] as const).map((mode) => ({
          ...actor(0),
          actor: mode,
          mode,
        })),
        deadLettersWritten: 0,
      }),
      measures: () => ({ pools: [], dependencies: [] }),
    },
    events,
    deferredMs: () => 2_500,
    databaseState: () => 'ok',
    uploads: { mode: 'ready', active: 0 },
  });
  const lines = (await metrics.registry.metrics()).split('\n');
  const paused = lines.filter((line) => line.startsWith('tether_actor_pool_paused{'));
  t.strictSame(
    paused.map((line) => line.replace(/.*"(\w+)"\} /, '$1 ')),
    ['running 0', 'paused 1', 'draining 0', 'drained 1'],
  );
  t.ok(lines.includes('tether_log_bytes_max 8'));
});

t.test('times, threads and dependencies have their labels, and no key is in any', async (t) => {
  const text = await (await registryOf(t)).metrics();
  const lines = text.split('\n');
  for (const line of [
    'tether_log_commit_seconds_bucket{le="0.0025"} 0',
    'tether_log_commit_seconds_bucket{le="0.005"} 1',
    'tether_log_wait_seconds_bucket{actor="payment",le="0.025"} 1',
    'tether_actor_queue_seconds_count{actor="payment"} 0',
    'tether_actor_turn_seconds_bucket{actor="payment",le="0.0005"} 1',
    'tether_actor_turn_seconds_sum{actor="payment"} 2.0004',
    'tether_message_age_seconds_bucket{actor="payment",le="60"} 0',
    'tether_message_age_seconds_bucket{actor="payment",le="300"} 1',
    'tether_thread_busy_ratio{actor="",thread="main"} 0.5',
    'tether_thread_busy_ratio{actor="payment",thread="0"} 0.25',
    'tether_thread_event_loop_delay_seconds{actor="payment",thread="0"} 0.03',
    'tether_thread_heap_bytes{actor="",thread="main"} 5000',
    'tether_thread_heap_bytes_max{actor="payment",thread="0"} 9000',
    'tether_actor_mailbox_max{actor="payment"} 6',
    'tether_dependency_call_seconds_bucket{dependency="postgres",le="+Inf"} 2',
    'tether_dependency_failures_total{dependency="postgres"} 2',
    'tether_dead_letters_waiting 3',
  ]) {
    t.ok(lines.includes(line), line);
  }
  t.notMatch(text, 'thread="1"', 'one that has told nothing');
  t.notMatch(text, 'a-secret-key');
  t.match(
    await (await registryOf(t, { done: 1 })).metrics(),
    /^tether_dead_letters_waiting nan$/im,
    'nobody knows',
  );
});

t.test('endpoints by where they stand, and what became of their file', async (t) => {
  const text = await (await registryOf(t)).metrics();
  for (const line of [
    'tether_endpoints{source="file",served="true"} 1',
    'tether_endpoints{source="api",served="true"} 2',
    'tether_endpoints_file_refused 1',
    'tether_endpoints_reloads_total{result="taken"} 6',
    'tether_endpoints_reloads_total{result="refused"} 2',
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
});

t.test('events are counted by actor and kind', async (t) => {
  const registry = await registryOf(t);
  events.emit({ kind: 'activated', actor: 'payment', count: 3 });
  events.emit({ kind: 'dropped', actor: 'payment', reason: 'mailbox-full', count: 2 });
  events.emit({ kind: 'thread-started', actor: 'payment', thread: 0 });
  const lines = (await registry.metrics()).split('\n');
  for (const line of [
    'tether_actor_events_total{actor="payment",kind="activated"} 3',
    'tether_actor_events_total{actor="payment",kind="dropped-mailbox-full"} 2',
    'tether_actor_events_total{actor="payment",kind="thread-started"} 1',
  ]) {
    t.ok(lines.includes(line), line);
  }
});

t.test('every series stands in the reference as it is, and no other', async (t) => {
  const registry = await registryOf(t);
  events.emit({ kind: 'resized', actor: 'payment', threads: 2 });
  const registered: string[] = [];
  for (const { name, type, values } of await registry.getMetricsAsJSON()) {
    const labels = new Set(values.flatMap((value) => Object.keys(value.labels)));
    registered.push(`${name} ${type} ${[...labels].join(', ')}`.trimEnd());
    // Whoever sums rates relies on it.
    t.equal(String(type) === 'counter', name.endsWith('_total'), name);
  }
  const page = readFileSync('docs/reference/metrics.md', 'utf8');
  const documented = [...page.matchAll(/^\| `(tether_\w+)` +\| (\w+) +\| ([^|]*?) *\|/gm)].map(
    ([, name, type, labels = '']) => `${name} ${type} ${labels.replaceAll('`', '')}`.trimEnd(),
  );
  t.strictSame(documented.sort(), registered.sort());

  const outcomes = [...(await registry.metrics()).matchAll(/outcome="(\w+)"/g)].map(([, outcome]) => outcome);
  t.ok(outcomes.length > 5);
  const explained = new Set([...page.matchAll(/^\| `([a-z_]+)`/gm)].map(([, name]) => name));
  t.strictSame(
    outcomes.filter((outcome) => !explained.has(outcome)),
    [],
    'every outcome is explained',
  );
});
