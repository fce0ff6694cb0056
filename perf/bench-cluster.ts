/**
 * What a cluster of worker nodes gives and costs, on one redis-server (append-only file synced every second) and one machine.
 *
 * - `workers`: messages a second with 1, 2, 4 and 8 worker processes, for an actor that waits for each batch as for a database: the cores are
 *   not the limit then, and what is left is what the cluster costs (bar: 0.85 of linear)
 * - `backlog`: what a message costs with 10 thousand and with 5 million others on the log (bar: 1.3 times)
 *
 * Run: npm run bench:cluster -- [rounds, default 3] [--only workers|backlog] [--window seconds, default 3]
 * Needs Debian's package redis-server, and 3 GB of memory and of disk for the backlog.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import {
  BACKLOGS,
  type BacklogRun,
  measureBacklogs,
  reportBacklogs,
  StandingBacklog,
} from './cluster/backlog.js';
import { measureScaling, reportScaling, type ScalingRun, WORKERS } from './cluster/scaling.js';
import { startRedis } from './peers/redis.js';
import { emptied } from './peers/redis-content.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, window: { type: 'string', default: '3' } },
});
const [rounds = 3] = positionals.map(Number);
const windowSeconds = Number(values.window);
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('rounds is a whole number from 1');
if (!(windowSeconds >= 0.5)) throw new RangeError('the window is at least half a second');
if (values.only !== undefined && !['workers', 'backlog'].includes(values.only))
  throw new RangeError('--only has workers and backlog');

const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tether-bench-'));
const stops: (() => Promise<void>)[] = [];
const note = (text: string) => process.stderr.write(`${text}\n`);
try {
  const { model = 'unknown' } = cpus()[0] ?? {};
  console.log(`${availableParallelism()} cores (${model.trim()}), Node ${process.version}\n`);
  const met = [];
  if (values.only !== 'backlog') met.push(await workers());
  if (values.only !== 'workers') met.push(await backlog());
  if (met.includes(false)) process.exitCode = 1;
} finally {
  for (const stop of stops.reverse()) await stop();
  rmSync(directory, { recursive: true, force: true });
}

async function workers(): Promise<boolean> {
  const server = await startRedis(join(directory, 'redis'));
  stops.push(server.stop);
  const redis = new Redis({ port: server.port, host: '127.0.0.1' });
  stops.push(async () => redis.disconnect());
  const url = `redis://127.0.0.1:${server.port}`;
  const results: ScalingRun[][] = [];
  for (let round = 0; round < rounds; round++) {
    const runs: ScalingRun[] = [];
    for (const count of round % 2 === 0 ? WORKERS : WORKERS.toReversed()) {
      await emptied(redis);
      runs.push(
        await measureScaling(redis, { url, prefix: 'tether', actor: 'waiting' }, count, windowSeconds),
      );
      note(`workers: round ${round + 1} of ${rounds}, ${count} processes`);
    }
    results.push(runs);
  }
  return reportScaling(results, windowSeconds);
}

async function backlog(): Promise<boolean> {
  const standing: StandingBacklog[] = [];
  for (const messages of BACKLOGS) {
    standing.push(await StandingBacklog.start(directory, messages, stops));
    note(`backlog: ${messages} messages stand`);
  }
  for (const each of standing) await each.warmUp();
  const results: (readonly BacklogRun[])[] = [];
  for (let round = 0; round < rounds; round++) {
    results.push(await measureBacklogs(standing));
    note(`backlog: round ${round + 1} of ${rounds}`);
  }
  for (const each of standing) await each.assertNothingLost();
  return reportBacklogs(standing, results);
}
