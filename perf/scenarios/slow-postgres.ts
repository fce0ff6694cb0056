/**
 * A Postgres that is far away or slow: each of its answers, and each question, comes later by a delay on the way. What does a sender see of it, and what
 * is left of the rate?
 */
import { join } from 'node:path';
import { Pool } from 'pg';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { startChild } from '../harness/child.js';
import { Findings } from '../harness/findings.js';
import { percentileMs } from '../harness/latencies.js';
import { interleaved } from '../harness/rounds.js';
import type { Scenario } from '../harness/scenario.js';
import { spread } from '../harness/table.js';
import { startDelayProxy } from '../load/delay-proxy.js';
import type { OpenLoopResult } from '../load/open-loop.js';
import { PASSWORD, PATH, preparedBlast, rowsBecome, rowsOf, startNode } from './emp.js';

const SEED = 20_261_129;
/** Of a round trip. */
const DELAYS_MS = [0, 1, 5, 20, 50] as const;
const NOTIFICATIONS = 20_000;
const CONNECTIONS = 64;
const RATE = 500;
const DEADLINE_MS = 300_000;

export const slowPostgres: Scenario = {
  name: 'slow-postgres',
  title: 'A slow Postgres',
  needs: [],
  minutes: 4,
  isUsual: true,
  async run(bench) {
    const { rounds = 3, seconds = 5 } = bench;
    const found = new Findings([
      `${rounds} rounds at each delay: ${RATE} notifications a second for ${seconds} s (open loop), then ${NOTIFICATIONS.toLocaleString('en')} as fast as they are acknowledged, until as many rows are committed. A TCP proxy between the node and Postgres holds each piece back for half of the round trip, in both directions.`,
    ]);
    const postgres = await startTestPostgres({ teardown: (work) => bench.onEnd(work) });
    const url = new URL(postgres.url);
    const proxy = await startDelayProxy(Number(url.port));
    bench.onEnd(() => proxy.close());
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    const node = await startNode(bench, join(bench.directory, 'node'), { TETHER_DATABASE_URL: url.href });
    // What is looked at is not held up.
    const pool = new Pool({ connectionString: postgres.url, max: 1 });
    bench.onEnd(() => pool.end());
    const args = [node.port, PATH, PASSWORD, CONNECTIONS, SEED, 0].map(String);
    const steady = await startChild(new URL('../load/open-loop.js', import.meta.url), args);
    bench.onEnd(steady.stop);
    let seed = SEED;
    const processedPerSecond = async () => {
      const before = await rowsOf(pool, 'events');
      const order = {
        port: node.port,
        connections: CONNECTIONS,
        count: NOTIFICATIONS,
        deadlineMs: DEADLINE_MS,
      };
      const load = await preparedBlast({ ...order, seed: ++seed });
      const startMs = performance.now();
      await load.run();
      await rowsBecome(pool, 'events', before + NOTIFICATIONS, DEADLINE_MS);
      return (NOTIFICATIONS / (performance.now() - startMs)) * 1_000;
    };
    await processedPerSecond();
    const measured = await interleaved(DELAYS_MS, rounds, async (delayMs, round) => {
      proxy.delayMs = delayMs / 2;
      const before = await rowsOf(pool, 'events');
      const order = { seconds, rate: RATE };
      const { latency, sent } = (await steady.ask(order, (seconds + 60) * 1_000)) as OpenLoopResult;
      await rowsBecome(pool, 'events', before + sent, DEADLINE_MS);
      const processed = await processedPerSecond();
      bench.note(`round ${round + 1} of ${rounds}: ${delayMs} ms`);
      return { latency, processed };
    });
    const of = (delayMs: (typeof DELAYS_MS)[number]) => measured.get(delayMs) ?? [];
    const nameOf = (delayMs: number) => (delayMs === 0 ? 'no delay' : `round trip ${delayMs} ms longer`);
    found.group(
      'Processed',
      'notifications/s',
      'more',
      DELAYS_MS.map((delayMs) => ({
        subject: nameOf(delayMs),
        role: 'tether',
        rounds: of(delayMs).map(({ processed }) => processed),
      })),
    );
    found.curve({
      title: 'Processed over the delay of a round trip',
      x: { title: 'ms more for a round trip', scale: 'linear' },
      y: { title: 'notifications/s', scale: 'linear' },
      series: [
        {
          name: 'Tether: the whole node',
          role: 'tether',
          points: DELAYS_MS.map((delayMs) => [
            delayMs,
            spread(of(delayMs).map(({ processed }) => processed)).median,
          ]),
        },
      ],
    });
    found.latencies(
      `Answers at ${RATE}/s, open loop`,
      DELAYS_MS.map((delayMs) => ({
        subject: nameOf(delayMs),
        role: 'tether',
        rounds: of(delayMs).map(({ latency }) => latency),
      })),
    );
    found.ratio(
      'p99 of an answer, round trip 50 ms longer / no delay',
      of(50).map(({ latency }) => percentileMs(latency, 99)),
      of(0).map(({ latency }) => percentileMs(latency, 99)),
    );
    return found.done();
  },
};
