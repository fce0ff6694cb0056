/** The series of a node, and the page that explains them. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { startTestGateway } from '../gateway/test/start.js';
import { EventStream } from '../runtime/event-stream.js';
import { silentLogger } from '../runtime/logger.js';
import type { ActorStats } from '../runtime/pool/actor-stats.js';
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
  threadStats: [],
  lag: 0,
  lagMax: 0,
  mailboxMax: 0,
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

const events = new EventStream(silentLogger);

async function registryOf(test: Test, node = { done: 40 }) {
  const { metrics } = await startTestGateway(test);
  registerNodeMetrics(metrics, {
    log: {
      lag: () => 7,
      state: () => 'open',
      stats: () => ({ bytes: 1000, bytesMax: null, commits: 3, appended: 50 }),
    },
    cluster: () => ({ mode: 'active', nodes: ['a', 'b'], placed: 32, owned: [1, 2, 3], lost: 5 }),
    system: { stats: () => ({ actors: [actor(node.done), actor(2)], deadLettersWritten: 4 }) },
    events,
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
      state: () => 'open',
      stats: () => ({ bytes: 1, bytesMax: 8, commits: 0, appended: 0 }),
    },
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
    },
    events,
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
