/**
 * An hour at a steady rate: do memory and latency drift? `--seconds` says how long instead.
 */
import { join } from 'node:path';
import { Pool } from 'pg';
import { startChild } from '../harness/child.js';
import { Findings } from '../harness/findings.js';
import { percentileMs } from '../harness/latencies.js';
import { residentBytesOfTree } from '../harness/process-stats.js';
import type { Scenario } from '../harness/scenario.js';
import { spread } from '../harness/table.js';
import type { OpenLoopResult } from '../load/open-loop.js';
import { PASSWORD, PATH, rowsBecome, startNode } from './emp.js';

const SEED = 20_261_131;
const RATE = 2_000;
const CONNECTIONS = 64;
const SECONDS = 3_600;
/** One sample: long enough for a p99.9, short enough for sixty and more of them. */
const STEPS = 60;
const HANDLED_MS_MAX = 120_000;

export const soak: Scenario = {
  name: 'soak',
  title: 'An hour at a steady rate',
  needs: [],
  minutes: 61,
  isUsual: false,
  async run(bench) {
    const { seconds = SECONDS } = bench;
    const step = seconds / STEPS;
    const found = new Findings([
      `${RATE.toLocaleString('en')} new notifications a second over ${CONNECTIONS} connections for ${seconds} s (open loop), told of in ${STEPS} steps of ${step.toFixed(0)} s. Memory is what is resident of the node and all that it started, without Postgres, at the end of each. Drift: the last quarter beside the second, for the first warms up.`,
      'At the end there is one row for each notification.',
    ]);
    const node = await startNode(bench, join(bench.directory, 'node'));
    const args = [node.port, PATH, PASSWORD, CONNECTIONS, SEED, 0].map(String);
    const load = await startChild(new URL('../load/open-loop.js', import.meta.url), args);
    bench.onEnd(load.stop);
    const results: (OpenLoopResult & { readonly mib: number })[] = [];
    for (let at = 0; at < STEPS; at++) {
      const result = (await load.ask(
        { seconds: step, rate: RATE },
        step * 1_000 + 120_000,
      )) as OpenLoopResult;
      results.push({ ...result, mib: residentBytesOfTree(node.pid, 'postgres') / 1_048_576 });
      bench.note(`${((at + 1) * step).toFixed(0)} s: p99 ${percentileMs(result.latency, 99).toFixed(2)} ms`);
    }
    const refused = results.reduce((sum, result) => sum + result.refused, 0);
    const sent = results.reduce((sum, result) => sum + result.sent, 0);
    if (refused > 0) found.warn(`${refused} of ${sent} were answered by 503`);
    const pool = new Pool({ connectionString: node.databaseUrl, max: 1 });
    bench.onEnd(() => pool.end());
    await rowsBecome(pool, 'events', sent - refused, HANDLED_MS_MAX);

    const quarter = (index: number) => results.slice((index * STEPS) / 4, ((index + 1) * STEPS) / 4);
    const drift = (read: (result: (typeof results)[number]) => number) =>
      spread(quarter(3).map(read)).median / spread(quarter(1).map(read)).median;
    const reads = [
      { name: 'p50', of: ({ latency }: OpenLoopResult) => percentileMs(latency, 50) },
      { name: 'p99', of: ({ latency }: OpenLoopResult) => percentileMs(latency, 99) },
      { name: 'p99.9', of: ({ latency }: OpenLoopResult) => percentileMs(latency, 99.9) },
    ];
    const x = { title: 's', scale: 'linear' } as const;
    const over = (read: (result: (typeof results)[number]) => number) =>
      results.map((result, at) => [(at + 1) * step, read(result)] as const);
    found.group(
      'Answers',
      'ms',
      'less',
      reads.map(({ name, of }) => ({ subject: name, role: 'tether', rounds: results.map(of) })),
    );
    found.curve({
      title: 'Answers, over the time',
      x,
      y: { title: 'ms', scale: 'log' },
      series: reads.map(({ name, of }) => ({ name, role: 'tether', points: over(of) })),
    });
    found.curve({
      title: 'Resident memory, over the time',
      x,
      y: { title: 'MiB', scale: 'linear' },
      series: [{ name: 'Tether, without Postgres', role: 'tether', points: over(({ mib }) => mib) }],
    });
    found.quotient('p99, the last quarter / the second', [drift(reads[1]?.of ?? (() => Number.NaN))], {
      atMost: 1.5,
    });
    found.quotient('memory, the last quarter / the second', [drift(({ mib }) => mib)], { atMost: 1.1 });
    return found.done();
  },
};
