/**
 * Whether memory stays flat: sends ten million notifications to a node in its embedded default, as fast as it takes them, and
 * watches the resident memory of its process tree, all but Postgres. The journal fills up on the way (the edge is faster than
 * Postgres), so this is also a test of P5: what is refused with 503 is sent again, and everything gets through.
 *
 * Run: npm run soak -- [notifications, default 10000000]. Takes ten to twenty minutes and about 10 GB of disk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { DEFAULT_ENDPOINT } from '../deploy/endpoint.js';
import { startChild } from './child.js';
import type { BlastResult } from './load/blast.js';
import { residentBytesOfTree } from './process-stats.js';
import { showSpread, spread, table } from './table.js';

const SEED = 20_261_124;
const CONNECTIONS = 64;
const SAMPLE_MS = 1_000;
const BAR_MIB = 400;
const DEADLINE_MS = 3 * 3_600_000;

const [count = 10_000_000] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tether-soak-'));
const stops: (() => Promise<void>)[] = [];

interface Sample {
  readonly done: number;
  readonly mib: number;
}

try {
  const node = await startChild<{
    readonly port: number;
    readonly databaseUrl: string;
    readonly apiToken: string;
  }>(new URL('./subjects/node.js', import.meta.url), [join(directory, 'node')]);
  stops.push(node.stop);
  const { port, databaseUrl, apiToken } = node.ready;
  const path = `/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}`;
  const args = [port, path, CONNECTIONS, count, SEED, DEFAULT_ENDPOINT.secrets[0], 'all'].map(String);
  const load = await startChild(new URL('./load/blast.js', import.meta.url), args);
  stops.push(load.stop);

  const status = async () => {
    const headers = { authorization: `Bearer ${apiToken}` };
    const answer = await fetch(`http://127.0.0.1:${port}/api/status`, { headers });
    return (await answer.json()) as {
      readonly log: { readonly lag: number };
      readonly totals: { readonly done: number };
    };
  };
  const samples: Sample[] = [];
  let shown = 0;
  const sample = async () => {
    const done = (await status()).totals.done;
    const mib = residentBytesOfTree(node.pid, 'postgres') / 1_048_576;
    samples.push({ done, mib });
    if (done >= shown + count / 20) {
      shown = done;
      process.stderr.write(`${done} processed, ${mib.toFixed(0)} MiB\n`);
    }
  };
  const start = performance.now();
  let loaded: BlastResult | undefined;
  const blast = load.ask({}, DEADLINE_MS).then((result) => {
    loaded = result as BlastResult;
  });
  // When something else fails first, that is the error to show.
  blast.catch(() => undefined);
  while (loaded === undefined || (await status()).log.lag > 0) {
    if (performance.now() - start > DEADLINE_MS) throw new Error('not within the deadline');
    await sample();
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  }
  await blast;
  const seconds = (performance.now() - start) / 1_000;
  const pool = new Pool({ connectionString: databaseUrl, max: 1 });
  const { rows } = await pool.query('select count(*) from events');
  await pool.end();
  report(samples, loaded, seconds, Number(rows[0].count));
} finally {
  for (const stop of stops.reverse()) await stop();
  rmSync(directory, { recursive: true, force: true });
}

function report(samples: readonly Sample[], loaded: BlastResult, seconds: number, rows: number): void {
  const most = Math.max(...samples.map(({ mib }) => mib));
  const tenths = Array.from({ length: 10 }, (_, tenth) => {
    const of = samples.filter(({ done }) => Math.min(9, Math.floor((done / count) * 10)) === tenth);
    return [
      `${((tenth + 1) * count) / 10}`,
      of.length === 0 ? '-' : showSpread(spread(of.map(({ mib }) => mib)), 0),
    ];
  });
  console.log(
    `${count} notifications in ${seconds.toFixed(0)} s, ${(count / seconds).toFixed(0)}/s; ` +
      `${loaded.repeats} answers of 503 repeated; ${rows} rows in events\n`,
  );
  console.log(table(['up to message', 'resident MiB: median (least to most)'], tenths));
  console.log(`\nMost: ${most.toFixed(0)} MiB; bar: under ${BAR_MIB} MiB`);
  if (rows !== count) throw new Error(`${count - rows} messages are missing`);
  if (most >= BAR_MIB) process.exitCode = 1;
}
