/**
 * How fast a notification is fully processed: acknowledged, and its effect committed in Postgres. Beside a peer (Fastify,
 * BullMQ, one transaction a job) and the limit (the payment actor alone, called in one thread with batches of 500). All of
 * them write to the same Postgres server; one table from one run, the rounds interleaved.
 *
 * Run: npm run bench:e2e -- [rounds, default 5] [notifications a round, default 60000]
 * Needs Debian's package redis-server.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import payment, { handlePayments } from '../actors/payment/actor.js';
import { DEFAULT_ENDPOINT } from '../deploy/endpoint.js';
import { empTraffic } from '../deploy/send/emp-traffic.js';
import { silentLogger } from '../runtime/logger.js';
import type { RawMessage } from '../runtime/message.js';
import { startChild } from './child.js';
import type { BlastResult } from './load/blast.js';
import { startRedis } from './peers/redis.js';
import { cpuSeconds } from './process-stats.js';
import { showSpread, spread, table } from './table.js';

const SEED = 20_261_124;
const CONNECTIONS = 64;
/** The peer gets fewer, so that its rounds take about as long. */
const PEER_SHARE = 1 / 6;
const BATCH = 500;
const POLL_MS = 20;
const DEADLINE_MS = 300_000;

interface Round {
  readonly acknowledgedPerSecond: number;
  readonly processedPerSecond: number;
  /** Cores busy in the main process, all its threads. */
  readonly cores: number;
}

const [rounds = 5, notifications = 60_000] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tether-bench-'));
const password = DEFAULT_ENDPOINT.secrets[0] ?? '';
const path = `/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}`;
const stops: (() => Promise<void>)[] = [];

try {
  const node = await startChild<{ readonly port: number; readonly databaseUrl: string }>(
    new URL('./subjects/node.js', import.meta.url),
    [join(directory, 'node')],
  );
  stops.push(node.stop);
  const { databaseUrl } = node.ready;
  const redis = await startRedis(join(directory, 'redis'));
  stops.push(redis.stop);
  const server = await startChild<{ readonly port: number }>(
    new URL('./peers/fastify-bullmq-server.js', import.meta.url),
    [`${redis.port}`, password],
  );
  stops.push(server.stop);
  const worker = await startChild(new URL('./peers/fastify-bullmq-worker.js', import.meta.url), [
    `${redis.port}`,
    databaseUrl,
  ]);
  stops.push(worker.stop);
  const pool = new Pool({ connectionString: databaseUrl, max: 1 });
  stops.push(() => pool.end());

  const rowsOf = async (name: 'events' | 'peer_events') =>
    Number((await pool.query(`select count(*) from ${name}`)).rows[0].count);

  const blast = async (
    name: 'events' | 'peer_events',
    port: number,
    pids: readonly number[],
    count: number,
    seed: number,
  ) => {
    const args = [port, path, CONNECTIONS, count, seed, password, 'processing'].map(String);
    const load = await startChild(new URL('./load/blast.js', import.meta.url), args);
    const before = await rowsOf(name);
    const cpu = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
    const cpuBefore = cpu();
    const start = performance.now();
    const { acknowledged, seconds } = (await load.ask({}, DEADLINE_MS)) as BlastResult;
    while ((await rowsOf(name)) < before + count) {
      if (performance.now() - start > DEADLINE_MS)
        throw new Error(`${name} lacks rows after ${DEADLINE_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const total = (performance.now() - start) / 1_000;
    const cores = (cpu() - cpuBefore) / total;
    await load.stop();
    const surplus = (await rowsOf(name)) - before - count;
    if (surplus !== 0) throw new Error(`${name} has ${surplus} rows too many`);
    return { acknowledgedPerSecond: acknowledged / seconds, processedPerSecond: count / total, cores };
  };

  const tether: Round[] = [];
  const peer: Round[] = [];
  const limit: number[] = [];
  const peerCount = Math.round(notifications * PEER_SHARE);
  await blast('events', node.ready.port, [node.pid], 10_000, SEED - 1);
  await blast('peer_events', server.ready.port, [server.pid, worker.pid], 2_000, SEED - 1);
  for (let round = 0; round < rounds; round++) {
    tether.push(await blast('events', node.ready.port, [node.pid], notifications, SEED + round));
    peer.push(
      await blast('peer_events', server.ready.port, [server.pid, worker.pid], peerCount, SEED + round),
    );
    limit.push(await actorAlone(databaseUrl, notifications, SEED + 10_000 + round));
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
  report(tether, peer, limit);
} finally {
  for (const stop of stops.reverse()) await stop();
  rmSync(directory, { recursive: true, force: true });
}

/** Messages a second of the payment actor in this thread, one batch after the other. */
async function actorAlone(databaseUrl: string, count: number, seed: number): Promise<number> {
  const traffic = empTraffic({ seed, count, password, kinds: ['processing'] });
  const messages = Array.from(traffic, ({ paymentId, dedupe, body, index }): RawMessage => {
    const id = `00000000-0000-7000-8000-${(seed * 1_000_000 + index).toString(16).padStart(12, '0').slice(-12)}`;
    const payload = Buffer.from(body);
    return {
      id,
      key: `limit:${paymentId}`,
      dedupe,
      receivedAt: Date.now(),
      traceparent: '',
      payload,
      attempt: 1,
    };
  });
  const settings = { databaseUrl, blacklistCodes: [], idempotencyEntriesMax: 1_000 };
  const thread = { actor: 'payment', thread: 0, settings, logger: silentLogger };
  const resources = await payment.open?.(thread);
  if (resources === undefined) throw new Error('the payment actor has no resources');
  const start = performance.now();
  for (let at = 0; at < messages.length; at += BATCH)
    await handlePayments(messages.slice(at, at + BATCH), resources, silentLogger);
  const seconds = (performance.now() - start) / 1_000;
  await payment.close?.(resources);
  return count / seconds;
}

function report(tether: readonly Round[], peer: readonly Round[], limit: readonly number[]): void {
  const show = (runs: readonly Round[], field: keyof Round, digits = 0) =>
    showSpread(spread(runs.map((run) => run[field])), digits);
  const ratio = spread(
    tether.map((run, round) => run.processedPerSecond / (peer[round]?.processedPerSecond ?? Number.NaN)),
  );
  const share = spread(tether.map((run, round) => run.processedPerSecond / (limit[round] ?? Number.NaN)));
  const row = (name: string, runs: readonly Round[]) => [
    name,
    show(runs, 'processedPerSecond'),
    show(runs, 'acknowledgedPerSecond'),
    show(runs, 'cores', 2),
  ];
  const { model = 'unknown' } = cpus()[0] ?? {};
  console.log(
    `${rounds} rounds of ${notifications} notifications (peer: ${Math.round(notifications * PEER_SHARE)}), ${CONNECTIONS} connections, ` +
      `${availableParallelism()} cores (${model.trim()}), Node ${process.version}`,
  );
  console.log(
    'Median over the rounds, least and most in brackets. Cores: busy in the main processes, without Postgres.\n',
  );
  console.log(
    table(
      ['what', 'processed/s', 'acknowledged/s', 'cores'],
      [
        row('Tether: the whole node', tether),
        row('peer: Fastify, BullMQ, one transaction a job', peer),
        ['limit: the payment actor alone, one connection', showSpread(spread(limit), 0), '', ''],
      ],
    ),
  );
  console.log(
    `\n${table(
      ['ratio, round by round', 'measured', 'bar'],
      [
        ['Tether / peer, processed', showSpread(ratio, 1), 'at least 6'],
        ['Tether / actor alone', showSpread(share, 2), ''],
      ],
    )}`,
  );
}
