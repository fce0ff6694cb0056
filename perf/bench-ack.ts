/**
 * How fast a webhook is acknowledged durably, beside the limit (a bare uWebSockets.js handler, a bare synced write) and a
 * peer (Fastify, BullMQ and Redis with its file synced every second). One table from one run; every round measures each
 * of them, so that a noisy machine is noisy for all.
 *
 * Run: npm run bench:ack -- [rounds, default 5] [seconds of each measurement, default 3] [--providers: what each provider costs beside EMP,
 * instead of the above]
 * Needs Debian's packages wrk and, without --providers, redis-server.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_ENDPOINT } from '../deploy/endpoint.js';
import { empTraffic } from '../deploy/send/emp-traffic.js';
import { measureProviders } from './ack-providers.js';
import { type Child, startChild } from './child.js';
import { bareSyncUs } from './disk.js';
import { formRequest, runWrk, type WrkResult, writeRequests } from './load/wrk.js';
import { startRedis } from './peers/redis.js';
import { showSpread, spread, table } from './table.js';

const SEED = 20_261_124;
const REQUESTS = 20_000;
const CONNECTIONS = [512, 64, 1] as const;
const DISK_WRITES = 500;

type Subject = 'bare' | 'edge' | 'node' | 'peer';
type Connections = (typeof CONNECTIONS)[number];

const args = process.argv.slice(2);
const [rounds = 5, seconds = 3] = args.filter((arg) => !arg.startsWith('--')).map(Number);
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tether-bench-'));
const password = DEFAULT_ENDPOINT.secrets[0] ?? '';
const path = `/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}`;

const stops: (() => Promise<void>)[] = [];
try {
  if (args.includes('--providers')) await measureProviders(directory, rounds, seconds);
  else await measureAll();
} finally {
  for (const stop of stops.reverse()) await stop();
  rmSync(directory, { recursive: true, force: true });
}

async function measureAll(): Promise<void> {
  const requestsFile = join(directory, 'requests');
  const traffic = empTraffic({ seed: SEED, count: REQUESTS, password, kinds: ['processing'] });
  writeRequests(
    requestsFile,
    Array.from(traffic, ({ body }) => formRequest(path, body)),
  );
  const redis = await startRedis(join(directory, 'redis'));
  stops.push(redis.stop);
  const start = async (module: URL, ...args: string[]) => {
    const child = await startChild<{ readonly port: number }>(module, args);
    stops.push(child.stop);
    return child;
  };
  mkdirSync(join(directory, 'edge'));
  const subjects: Readonly<Record<Subject, Child<{ readonly port: number }>>> = {
    bare: await start(new URL('./subjects/bare.js', import.meta.url)),
    edge: await start(new URL('./subjects/edge.js', import.meta.url), join(directory, 'edge')),
    node: await start(new URL('./subjects/node.js', import.meta.url), join(directory, 'node')),
    peer: await start(
      new URL('./peers/fastify-bullmq-server.js', import.meta.url),
      `${redis.port}`,
      password,
    ),
  };

  const results = new Map<string, WrkResult[]>();
  const disk: number[] = [];
  const measure = async (subject: Subject, connections: Connections, measured = seconds) => {
    const { pid, ready } = subjects[subject];
    return runWrk({ port: ready.port, connections, seconds: measured, requestsFile, serverPid: pid });
  };
  for (const subject of Object.keys(subjects) as Subject[]) await measure(subject, 64, 1);
  for (let round = 1; round <= rounds; round++) {
    for (const connections of CONNECTIONS) {
      for (const subject of Object.keys(subjects) as Subject[]) {
        const result = await measure(subject, connections);
        const key = `${subject}/${connections}`;
        results.set(key, [...(results.get(key) ?? []), result]);
        if (result.errors > 0) throw new Error(`${key}: ${result.errors} requests were not acknowledged`);
      }
    }
    disk.push(bareSyncUs(directory, DISK_WRITES));
    process.stderr.write(`round ${round} of ${rounds}\n`);
  }
  report(results, disk);
}

function report(results: ReadonlyMap<string, readonly WrkResult[]>, disk: readonly number[]): void {
  const of = (subject: Subject, connections: Connections) => results.get(`${subject}/${connections}`) ?? [];
  const ratio = (subject: Subject, base: Subject, connections: Connections) =>
    spread(
      of(subject, connections).map(
        ({ requestsPerSecond }, round) =>
          requestsPerSecond / (of(base, connections)[round]?.requestsPerSecond ?? Number.NaN),
      ),
    );
  const cores = (runs: readonly WrkResult[], read: (run: WrkResult) => number) =>
    spread(runs.map(read)).median.toFixed(2);
  const rate = (subject: Subject, connections: Connections) => {
    const runs = of(subject, connections);
    return [
      showSpread(spread(runs.map(({ requestsPerSecond }) => requestsPerSecond)), 0),
      showSpread(spread(runs.map(({ p50Us }) => p50Us)), 0),
      showSpread(spread(runs.map(({ p99Us }) => p99Us)), 0),
      `${cores(runs, (run) => run.serverCores)} / ${cores(runs, (run) => run.loadCores)}`,
    ];
  };
  const NAMES: Readonly<Record<Subject, string>> = {
    bare: 'limit: bare uWebSockets.js, nothing kept',
    edge: 'Tether: gateway and journal, durable',
    node: 'Tether: the whole node, actors and Postgres at work',
    peer: 'peer: Fastify, BullMQ, Redis (everysec)',
  };
  const rows = CONNECTIONS.flatMap((connections) =>
    (Object.keys(NAMES) as Subject[]).map((subject) => [
      `${connections}`,
      NAMES[subject],
      ...rate(subject, connections),
    ]),
  );
  const single = spread(of('edge', 1).map(({ p50Us }, round) => p50Us / (disk[round] ?? Number.NaN)));
  const bars = [
    ['512 connections, Tether / bare', showSpread(ratio('edge', 'bare', 512), 2), 'at least 0.6'],
    ['64 connections, Tether / bare', showSpread(ratio('edge', 'bare', 64), 2), 'at least 0.3'],
    ['1 connection, median / bare 4 KiB write + fdatasync', showSpread(single, 2), 'at most 2.5'],
    ['64 connections, Tether / peer', showSpread(ratio('edge', 'peer', 64), 1), 'at least 3'],
    ['64 connections, whole node / peer', showSpread(ratio('node', 'peer', 64), 1), ''],
  ];
  const { model = 'unknown' } = cpus()[0] ?? {};
  console.log(
    `${rounds} rounds of ${seconds} s, ${availableParallelism()} cores (${model.trim()}), Node ${process.version}`,
  );
  console.log('Median over the rounds, least and most in brackets. Cores: busy in the server / in wrk.\n');
  console.log(table(['connections', 'what', 'acknowledged/s', 'p50 us', 'p99 us', 'cores'], rows));
  console.log(`\nBare 4 KiB write + fdatasync, preallocated file: ${showSpread(spread(disk), 0)} us\n`);
  console.log(table(['ratio, round by round', 'measured', 'bar'], bars));
}
