/**
 * How fast a webhook is acknowledged durably through Redis: Tether's gateway over its log in Redis, beside a peer (Fastify and BullMQ) and
 * the limit (bare XADD), all on one redis-server whose append-only file is synced every second.
 *
 * Nobody reads what is kept. Before each measurement Redis is emptied and its file written anew, so that neither stands on the other's heap;
 * after it the messages in Redis are counted: fewer than were acknowledged end the run.
 */
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Child, startChild } from '../harness/child.js';
import { Findings, type Runs } from '../harness/findings.js';
import { percentileMs } from '../harness/latencies.js';
import { cpuSeconds } from '../harness/process-stats.js';
import type { Role } from '../harness/results.js';
import { interleaved, warmedUp } from '../harness/rounds.js';
import { type Bench, REDIS, type Scenario, WRK } from '../harness/scenario.js';
import { addedEntriesPerSecond, type EntriesLimit } from '../limits/added-entries.js';
import { runWrk, type WrkResult } from '../load/wrk.js';
import { type RedisServer, startRedis } from '../peers/redis.js';
import { emptied, packedMessages } from '../peers/redis-content.js';
import { bodiesOf, PASSWORD, writeNotifications } from './emp.js';

const SEED = 20_261_126;
const REQUESTS = 20_000;
const CONNECTIONS = [64, 1, 512] as const;
/** Of acknowledgements a second with 64 connections, beside the peer. */
const BAR = 2.5;
/** Of the limit, and how many XADDs are under way: as many as the busiest of the connections. */
const ENTRIES = 50_000;
const DEPTH = 512;

interface Subject {
  readonly name: string;
  readonly role: Role;
  readonly child: Child<{ readonly port: number }>;
  /** Messages of it in Redis. */
  kept(): Promise<number>;
}

interface Measured extends WrkResult {
  readonly redisCores: number;
  /** Messages in Redis after it. */
  readonly kept: number;
}

export const ackRedis: Scenario = {
  name: 'ack-redis',
  title: 'Durable acknowledgements through Redis',
  needs: [WRK, REDIS],
  minutes: 3,
  isUsual: true,
  async run(bench) {
    const { rounds = 5, seconds = 3 } = bench;
    const requestsFile = join(bench.directory, 'requests');
    const bodies = bodiesOf(SEED, REQUESTS);
    writeNotifications(requestsFile, bodies);
    const server = await startRedis(join(bench.directory, 'redis'));
    bench.onEnd(() => server.stop());
    const redis = new Redis({ port: server.port, host: '127.0.0.1' });
    bench.onEnd(() => redis.disconnect());
    await bench.pinning.subject(server.pid);
    // Redis would write its file anew, in a process of its own, in the middle of some of the measurements.
    await redis.config('SET', 'auto-aof-rewrite-percentage', '0');
    const bytes = Math.round(bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length);
    const found = new Findings([
      `${rounds} rounds; each measures both for ${seconds} s at 64, at 1 and at 512 connections (closed loop, wrk with one thread, signed EMP notifications of ${bytes} bytes built before the run).`,
      `One redis-server for both (${await settingsOf(redis)}), emptied before each measurement; its file is not written anew meanwhile.`,
      'Nobody reads what is kept. After each measurement the messages in Redis are counted: fewer than were acknowledged end the run.',
    ]);
    const subjects = await startSubjects(bench, server, redis);
    const measure = async (subject: Subject, connections: number, measured = seconds): Promise<Measured> => {
      await emptied(redis);
      const { pid, ready } = subject.child;
      const cpuBefore = cpuSeconds(server.pid);
      const run = { port: ready.port, connections, seconds: measured, requestsFile, serverPid: pid };
      const result = await runWrk({ ...run, pinning: bench.pinning });
      const wall = result.requests / result.requestsPerSecond;
      const redisCores = (cpuSeconds(server.pid) - cpuBefore) / wall;
      const where = `${subject.name}, ${nameOf(connections)}`;
      if (result.errors > 0) throw new Error(`${where}: ${result.errors} requests were not acknowledged`);
      const kept = await subject.kept();
      if (kept < result.requests)
        throw new Error(`${where}: ${result.requests} acknowledged, ${kept} of them in Redis`);
      return { ...result, redisCores, kept };
    };
    for (const subject of subjects) {
      const steady = await warmedUp(async () => (await measure(subject, 64, 1)).requestsPerSecond);
      if (!steady) found.warn(`${subject.name}: its rate did not become steady in the warm-up`);
    }
    for (const connections of CONNECTIONS) {
      const results = await interleaved(subjects, rounds, async (subject, round) => {
        const result = await measure(subject, connections);
        bench.note(`${nameOf(connections)}, round ${round + 1} of ${rounds}: ${subject.name}`);
        return result;
      });
      tell(found, connections, results);
    }
    await tellLimit(found, rounds, redis, { port: server.port, payloadBytes: bytes });
    return found.done();
  },
};

const nameOf = (connections: number) => `${connections} connection${connections === 1 ? '' : 's'}`;

async function settingsOf(redis: Redis): Promise<string> {
  const names = ['appendonly', 'appendfsync'];
  const settings = await Promise.all(names.map((name) => redis.config('GET', name)));
  return settings.map((setting) => (setting as string[]).join(' ')).join(', ');
}

async function startSubjects(bench: Bench, server: RedisServer, redis: Redis): Promise<readonly Subject[]> {
  const start = async (name: string, role: Role, module: URL, kept: Subject['kept']): Promise<Subject> => {
    const child = await startChild<{ readonly port: number }>(
      module,
      [`${server.port}`, PASSWORD],
      role === 'tether' ? bench.nodeOptions(name) : [],
    );
    bench.onEnd(() => child.stop());
    await bench.pinning.subject(child.pid);
    return { name, role, child, kept };
  };
  const tether = new URL('../subjects/edge-redis.js', import.meta.url);
  const peer = new URL('../peers/fastify-bullmq-server.js', import.meta.url);
  return [
    await start('Tether: gateway and log in Redis', 'tether', tether, () =>
      packedMessages(redis, 'tether:*:frames'),
    ),
    await start('Fastify and BullMQ', 'peer', peer, () => redis.llen('bull:notifications:wait')),
  ];
}

function tell(
  found: Findings,
  connections: number,
  results: ReadonlyMap<Subject, readonly Measured[]>,
): void {
  const at = nameOf(connections);
  const runs = (read: (run: Measured) => number): Runs[] =>
    [...results].map(([{ name, role }, measured]) => ({
      subject: name,
      role,
      rounds: measured.map(read),
    }));
  const rates = runs(({ requestsPerSecond }) => requestsPerSecond);
  found.group(`Acknowledged, ${at}`, 'requests/s', 'more', rates);
  for (const percentile of [50, 99] as const) {
    found.group(
      `${percentile === 50 ? 'Median answer' : '99th percentile of answers'}, ${at}`,
      'us',
      'less',
      runs(({ latency }) => percentileMs(latency, percentile) * 1_000),
    );
  }
  const cores = (where: string, read: (run: Measured) => number) =>
    runs(read).map((run) => ({ ...run, subject: `${run.subject}, ${where}` }));
  found.group(`Cores busy, ${at}`, 'cores', 'neither', [
    ...cores('in its own process', ({ serverCores }) => serverCores),
    ...cores('in Redis', ({ redisCores }) => redisCores),
  ]);
  found.latencies(
    `Answers, ${at}, closed loop`,
    [...results].map(([{ name, role }, measured]) => ({
      subject: name,
      role,
      rounds: measured.map(({ latency }) => latency),
    })),
  );
  for (const [{ name }, measured] of results) {
    found.loadCores(
      `${name}, ${at}`,
      measured.map(({ loadCores }) => loadCores),
    );
  }
  const surplus = [...results.values()].flat().map(({ kept, requests }) => kept - requests);
  found.method(
    `With ${at} at least ${Math.min(...surplus)} messages more than were acknowledged stood in Redis after each measurement: under way when wrk ended.`,
  );
  const [tether, peer] = rates;
  const bar = connections === 64 ? { atLeast: BAR } : undefined;
  found.ratio(`${at}, Tether / ${peer?.subject}`, tether?.rounds ?? [], peer?.rounds ?? [], bar);
}

async function tellLimit(
  found: Findings,
  rounds: number,
  redis: Redis,
  limit: Pick<EntriesLimit, 'port' | 'payloadBytes'>,
): Promise<void> {
  const entries: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await emptied(redis);
    entries.push(await addedEntriesPerSecond({ ...limit, entries: ENTRIES, depth: DEPTH }));
  }
  found.group(`Bare XADD of as many bytes, ${DEPTH} under way on one connection`, 'entries/s', 'more', [
    { subject: 'bare XADD, by ioredis', role: 'limit', rounds: entries },
  ]);
}
