/**
 * How fast a webhook is acknowledged durably through Redis: Tether's gateway over its log in Redis, beside a peer (Fastify and BullMQ), both
 * on one redis-server whose append-only file is synced every second. One table from one run; every round measures both of them, so that a
 * noisy machine is noisy for both.
 *
 * Nobody reads what is kept. Before each measurement Redis is emptied and its file written anew, so that neither stands on the other's heap;
 * after it the messages in Redis are counted: fewer than were acknowledged end the run.
 *
 * Run: npm run bench:ack:redis -- [rounds, default 5] [seconds of each measurement, default 3]
 * Needs Debian's packages wrk and redis-server.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { DEFAULT_ENDPOINT } from '../deploy/endpoint.js';
import { empTraffic } from '../deploy/send/emp-traffic.js';
import { type Child, startChild } from './child.js';
import { formRequest, runWrk, type WrkResult, writeRequests } from './load/wrk.js';
import { startRedis } from './peers/redis.js';
import { emptied, packedMessages } from './peers/redis-content.js';
import { cpuSeconds } from './process-stats.js';
import { showSpread, spread, table } from './table.js';

const SEED = 20_261_126;
const REQUESTS = 20_000;
const CONNECTIONS = [64, 1, 512] as const;
const BAR = 2.5;

type Subject = 'tether' | 'peer';
type Connections = (typeof CONNECTIONS)[number];
interface Measured extends WrkResult {
  readonly redisCores: number;
  /** Messages in Redis after it. */
  readonly kept: number;
}

const NAMES: Readonly<Record<Subject, string>> = {
  tether: 'Tether: gateway and log in Redis',
  peer: 'peer: Fastify and BullMQ',
};
const SUBJECTS = Object.keys(NAMES) as Subject[];
const [rounds = 5, seconds = 3] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tether-bench-'));
const password = DEFAULT_ENDPOINT.secrets[0] ?? '';
const path = `/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}`;

const stops: (() => Promise<void>)[] = [];
try {
  const requestsFile = join(directory, 'requests');
  const bodies = Array.from(
    empTraffic({ seed: SEED, count: REQUESTS, password, kinds: ['processing'] }),
    ({ body }) => body,
  );
  writeRequests(
    requestsFile,
    bodies.map((body) => formRequest(path, body)),
  );
  const server = await startRedis(join(directory, 'redis'));
  stops.push(server.stop);
  const redis = new Redis({ port: server.port, host: '127.0.0.1' });
  stops.push(async () => redis.disconnect());
  // Redis would write its file anew, in a process of its own, in the middle of some of the measurements.
  await redis.config('SET', 'auto-aof-rewrite-percentage', '0');
  const start = async (module: URL) => {
    const child = await startChild<{ readonly port: number }>(module, [`${server.port}`, password]);
    stops.push(child.stop);
    return child;
  };
  const children: Readonly<Record<Subject, Child<{ readonly port: number }>>> = {
    tether: await start(new URL('./subjects/edge-redis.js', import.meta.url)),
    peer: await start(new URL('./peers/fastify-bullmq-server.js', import.meta.url)),
  };
  const kept: Readonly<Record<Subject, () => Promise<number>>> = {
    tether: () => packedMessages(redis, 'tether:*:frames'),
    peer: () => redis.llen('bull:notifications:wait'),
  };

  const measure = async (subject: Subject, connections: Connections, measured: number): Promise<Measured> => {
    const { pid, ready } = children[subject];
    await emptied(redis);
    const cpuBefore = cpuSeconds(server.pid);
    const run = { port: ready.port, connections, seconds: measured, requestsFile, serverPid: pid };
    const result = await runWrk(run);
    const redisCores = ((cpuSeconds(server.pid) - cpuBefore) * result.requestsPerSecond) / result.requests;
    const where = `${NAMES[subject]}, ${connections} connections`;
    if (result.errors > 0) throw new Error(`${where}: ${result.errors} requests were not acknowledged`);
    const found = await kept[subject]();
    if (found < result.requests)
      throw new Error(`${where}: ${result.requests} acknowledged, ${found} of them in Redis`);
    return { ...result, redisCores, kept: found };
  };
  for (const subject of SUBJECTS) await measure(subject, 64, 1);
  const results = new Map<string, Measured[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const connections of CONNECTIONS) {
      for (const subject of round % 2 === 1 ? SUBJECTS : SUBJECTS.toReversed()) {
        const key = `${subject}/${connections}`;
        results.set(key, [...(results.get(key) ?? []), await measure(subject, connections, seconds)]);
      }
    }
    process.stderr.write(`round ${round} of ${rounds}\n`);
  }
  const settings = await Promise.all(
    ['appendonly', 'appendfsync'].map(async (name) =>
      ((await redis.config('GET', name)) as string[]).join(' '),
    ),
  );
  report(results, bodies, settings);
} finally {
  for (const stop of stops.reverse()) await stop();
  rmSync(directory, { recursive: true, force: true });
}

function report(
  results: ReadonlyMap<string, readonly Measured[]>,
  bodies: readonly string[],
  settings: readonly string[],
): void {
  const of = (subject: Subject, connections: Connections) => results.get(`${subject}/${connections}`) ?? [];
  const show = (runs: readonly Measured[], read: (run: Measured) => number, digits = 0) =>
    showSpread(spread(runs.map(read)), digits);
  const cores = (runs: readonly Measured[], read: (run: Measured) => number) =>
    spread(runs.map(read)).median.toFixed(2);
  const rows = CONNECTIONS.flatMap((connections) =>
    SUBJECTS.map((subject) => {
      const runs = of(subject, connections);
      return [
        `${connections}`,
        NAMES[subject],
        show(runs, ({ requestsPerSecond }) => requestsPerSecond),
        show(runs, ({ p50Us }) => p50Us),
        show(runs, ({ p99Us }) => p99Us),
        `${cores(runs, (run) => run.serverCores)} / ${cores(runs, (run) => run.redisCores)} / ${cores(runs, (run) => run.loadCores)}`,
        `${Math.min(...runs.map((run) => run.kept - run.requests))}`,
      ];
    }),
  );
  const ratio = (connections: Connections) =>
    spread(
      of('tether', connections).map(
        ({ requestsPerSecond }, round) =>
          requestsPerSecond / (of('peer', connections)[round]?.requestsPerSecond ?? Number.NaN),
      ),
    );
  const bytes = Math.round(bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length);
  const { model = 'unknown' } = cpus()[0] ?? {};
  console.log(
    `${rounds} rounds of ${seconds} s, ${availableParallelism()} cores (${model.trim()}), Node ${process.version}; ` +
      `EMP notifications of ${bytes} bytes`,
  );
  console.log(
    `One redis-server for both, emptied before each measurement: ${settings.join(', ')}; its file is not written anew meanwhile.`,
  );
  console.log(
    'Median over the rounds, least and most in brackets. Cores: busy in the gateway or Fastify / in Redis / in wrk.\n' +
      'Surplus: messages in Redis after the run above those acknowledged, the least of all rounds: under way when wrk ended; below 0 ends the run.\n',
  );
  console.log(table(['connections', 'what', 'acknowledged/s', 'p50 us', 'p99 us', 'cores', 'surplus'], rows));
  console.log(
    `\n${table(
      ['Tether / peer, acknowledged/s, round by round', 'measured', 'bar'],
      CONNECTIONS.map((connections) => [
        `${connections} connections`,
        showSpread(ratio(connections), 2),
        connections === 64 ? `at least ${BAR}` : '',
      ]),
    )}`,
  );
  if (ratio(64).median < BAR) process.exitCode = 1;
}
