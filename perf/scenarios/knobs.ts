/**
 * What each knob does, as a curve: connections and the group commit that grows with them, durability, where the sync waits, partitions, and of the pool
 * of the payment actor threads (each has one connection to Postgres), batch, linger and credits. The others stand at their defaults.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'pg';
import { type Child, startChild } from '../harness/child.js';
import { Findings } from '../harness/findings.js';
import { percentileMs } from '../harness/latencies.js';
import type { Series } from '../harness/results.js';
import { interleaved } from '../harness/rounds.js';
import { type Bench, type Scenario, WRK } from '../harness/scenario.js';
import { spread } from '../harness/table.js';
import { runWrk } from '../load/wrk.js';
import {
  api,
  bodiesOf,
  preparedBlast,
  rowsBecome,
  rowsOf,
  type StartedNode,
  startNode,
  writeNotifications,
} from './emp.js';

const SEED = 20_261_132;
const REQUESTS = 20_000;
const CONNECTIONS = [1, 4, 16, 64, 256, 1_024] as const;
const NOTIFICATIONS = 20_000;
const DEADLINE_MS = 300_000;
const PARTITIONS = [1, 4, 16, 64, 256] as const;
const POOL_KNOBS = [
  { knob: 'threads', title: 'threads, each with a connection to Postgres', values: [1, 2, 3, 4] },
  { knob: 'batchMax', title: 'messages in a batch, at most', values: [1, 5, 20, 50, 100, 200, 500] },
  { knob: 'lingerMs', title: 'ms that a batch lingers', values: [0, 2, 10, 50] },
  {
    knob: 'inFlightMax',
    title: 'credits: messages in flight to a thread, at most',
    values: [16, 64, 256, 1_024, 4_096],
  },
] as const;

type Edge = Child<{ readonly port: number }>;
interface JournalCounts {
  readonly commits: number;
  readonly appended: number;
}

export const knobs: Scenario = {
  name: 'knobs',
  title: 'What each knob does',
  needs: [WRK],
  minutes: 8,
  isUsual: false,
  async run(bench) {
    const { rounds = 3, seconds = 2 } = bench;
    const found = new Findings([
      `The edge (gateway and journal): ${rounds} rounds of ${seconds} s at each number of connections, in a closed loop. The pool: ${rounds} rounds of ${NOTIFICATIONS.toLocaleString('en')} notifications over 64 connections to the whole node, until as many rows are committed; one knob at a time, the others at their defaults. Points are medians.`,
    ]);
    await edgeKnobs(bench, found, rounds, seconds);
    await poolKnobs(bench, found, rounds);
    await partitionKnob(bench, found, rounds);
    return found.done();
  },
};

async function edgeKnobs(bench: Bench, found: Findings, rounds: number, seconds: number): Promise<void> {
  const requestsFile = join(bench.directory, 'requests');
  writeNotifications(requestsFile, bodiesOf(SEED, REQUESTS));
  const edge = async (name: string, options: object): Promise<Edge> => {
    const directory = join(bench.directory, name);
    mkdirSync(directory);
    const args = [directory, JSON.stringify(options)];
    const child = await startChild<{ readonly port: number }>(
      new URL('../subjects/edge.js', import.meta.url),
      args,
    );
    bench.onEnd(child.stop);
    await bench.pinning.subject(child.pid);
    return child;
  };
  const never = 1e12;
  const subjects = [
    { name: 'commit, as it chooses (default)', child: await edge('default', {}) },
    {
      name: 'commit, sync in the thread pool',
      child: await edge('pool', { syncPolicy: { inlineUsMax: 0, probeMsMin: never, probeMsMax: never } }),
    },
    { name: 'memory: not synced', child: await edge('memory', { durability: 'memory' }) },
  ];
  const cells = CONNECTIONS.flatMap((connections) =>
    subjects.map((subject) => ({ ...subject, connections })),
  );
  for (const { child } of subjects)
    await runWrk({
      port: child.ready.port,
      connections: 64,
      seconds: 2,
      requestsFile,
      serverPid: child.pid,
      pinning: bench.pinning,
    });
  const measured = await interleaved(cells, rounds, async ({ name, child, connections }, round) => {
    const before = (await child.ask({}, DEADLINE_MS)) as JournalCounts;
    const run = { port: child.ready.port, connections, seconds, requestsFile, serverPid: child.pid };
    const { requestsPerSecond, latency, errors } = await runWrk({ ...run, pinning: bench.pinning });
    if (errors > 0) throw new Error(`${name}: ${errors} requests were not acknowledged`);
    const after = (await child.ask({}, DEADLINE_MS)) as JournalCounts;
    bench.note(`round ${round + 1} of ${rounds}: ${connections} connections, ${name}`);
    return {
      rate: requestsPerSecond,
      medianMs: percentileMs(latency, 50),
      group: (after.appended - before.appended) / (after.commits - before.commits),
    };
  });
  type Read = 'rate' | 'medianMs' | 'group';
  const series = (read: Read): readonly Series[] =>
    subjects.map(({ name }) => ({
      name,
      role: 'tether',
      points: cells
        .filter((cell) => cell.name === name)
        .map((cell) => [cell.connections, spread((measured.get(cell) ?? []).map((run) => run[read])).median]),
    }));
  const x = { title: 'connections', scale: 'log' } as const;
  found.curve({
    title: 'Group commit: acknowledged over connections',
    x,
    y: { title: 'requests/s', scale: 'log' },
    series: series('rate'),
  });
  found.curve({
    title: 'Group commit: median answer over connections',
    x,
    y: { title: 'ms', scale: 'log' },
    series: series('medianMs'),
  });
  found.curve({
    title: 'Group commit: messages in a group over connections',
    x,
    y: { title: 'messages', scale: 'log' },
    series: series('group'),
  });
  for (const { child } of subjects) await child.stop();
}

async function poolKnobs(bench: Bench, found: Findings, rounds: number): Promise<void> {
  const { node, processed } = await measuredNode(bench, 'node', {});
  const path = '/api/pools/payment';
  for (const { knob, title, values } of POOL_KNOBS) {
    const measured = await interleaved<number, number>([...values], rounds, async (value, round) => {
      await api(node, 'PUT', path, knob === 'threads' ? { min: value, max: value } : { [knob]: value });
      bench.note(`round ${round + 1} of ${rounds}: ${knob} ${value}`);
      return processed();
    });
    await api(node, 'DELETE', `${path}/settings`);
    found.curve({
      title: `Processed over ${title}`,
      x: { title, scale: knob === 'threads' || knob === 'lingerMs' ? 'linear' : 'log' },
      y: { title: 'notifications/s', scale: 'linear' },
      series: [
        {
          name: 'Tether: the whole node',
          role: 'tether',
          points: values.map((value) => [value, spread(measured.get(value) ?? []).median]),
        },
      ],
    });
  }
}

async function partitionKnob(bench: Bench, found: Findings, rounds: number): Promise<void> {
  const points: (readonly [number, number])[] = [];
  for (const partitions of PARTITIONS) {
    const keys = { TETHER_PARTITIONS: String(partitions) };
    const { processed, stop } = await measuredNode(bench, `partitions-${partitions}`, keys);
    const runs: number[] = [];
    for (let round = 0; round < rounds; round++) runs.push(await processed());
    await stop();
    bench.note(`${partitions} partitions`);
    points.push([partitions, spread(runs).median]);
  }
  found.curve({
    title: 'Processed over partitions (a node for each, not interleaved)',
    x: { title: 'partitions', scale: 'log' },
    y: { title: 'notifications/s', scale: 'linear' },
    series: [{ name: 'Tether: the whole node', role: 'tether', points }],
  });
}

interface MeasuredNode {
  readonly node: StartedNode;
  /** Notifications a second, from the first request to the last commit. */
  processed(): Promise<number>;
  stop(): Promise<void>;
}

/** Warm. */
async function measuredNode(
  bench: Bench,
  name: string,
  keys: Readonly<Record<string, string>>,
): Promise<MeasuredNode> {
  const node = await startNode(bench, join(bench.directory, name), keys);
  const pool = new Pool({ connectionString: node.databaseUrl, max: 1 });
  bench.onEnd(() => (pool.ended ? undefined : pool.end()));
  let seed = SEED;
  const processed = async () => {
    const before = await rowsOf(pool, 'events');
    const { port } = node;
    const order = { port, connections: 64, count: NOTIFICATIONS, seed: ++seed, deadlineMs: DEADLINE_MS };
    const load = await preparedBlast(order);
    const startMs = performance.now();
    await load.run();
    await rowsBecome(pool, 'events', before + NOTIFICATIONS, DEADLINE_MS);
    return (NOTIFICATIONS / (performance.now() - startMs)) * 1_000;
  };
  for (let i = 0; i < 3; i++) await processed();
  return {
    node,
    processed,
    stop: async () => {
      await pool.end();
      await node.stop();
    },
  };
}
