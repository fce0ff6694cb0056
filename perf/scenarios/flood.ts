/**
 * Whether memory stays flat when more comes than can be handled: ten million notifications as fast as the node takes them. The journal fills up on the way
 * (the edge is faster than Postgres), so this is also a test of P5: what is refused with 503 is sent again, and everything gets through.
 *
 * FLOOD_NOTIFICATIONS in the environment: another number, for a short try. Needs about 10 GB of disk.
 */
import { join } from 'node:path';
import { Pool } from 'pg';
import { startChild } from '../harness/child.js';
import { Findings } from '../harness/findings.js';
import { residentBytesOfTree } from '../harness/process-stats.js';
import type { Scenario } from '../harness/scenario.js';
import type { BlastResult } from '../load/blast.js';
import { PASSWORD, PATH, progressOf, rowsBecome, startNode } from './emp.js';

const SEED = 20_261_124;
const CONNECTIONS = 64;
const SAMPLE_MS = 1_000;
const BAR_MIB = 400;
const DEADLINE_MS = 3 * 3_600_000;
const TENTHS = 10;

export const flood: Scenario = {
  name: 'flood',
  title: 'Ten million notifications as fast as they are taken',
  needs: [],
  minutes: 20,
  isUsual: false,
  async run(bench) {
    const count = Number(process.env.FLOOD_NOTIFICATIONS ?? 10_000_000);
    const found = new Findings([
      `${count.toLocaleString('en')} notifications of all kinds over ${CONNECTIONS} connections; what is answered by 503 comes again after 100 ms. Memory is what is resident of the node and all that it started, without Postgres, every second. A row too many or too few ends the run.`,
    ]);
    const node = await startNode(bench, join(bench.directory, 'node'));
    const args = [node.port, PATH, CONNECTIONS, count, SEED, PASSWORD, 'all'].map(String);
    const load = await startChild(new URL('../load/blast.js', import.meta.url), args);
    bench.onEnd(load.stop);
    const samples: { readonly done: number; readonly mib: number; readonly at: number }[] = [];
    const startMs = performance.now();
    let loaded: BlastResult | undefined;
    const sending = load.ask({}, DEADLINE_MS).then((result) => {
      loaded = result as BlastResult;
    });
    // When something else fails first, that is the error to show.
    sending.catch(() => undefined);
    for (let tenth = 0, lag = count; loaded === undefined || lag > 0; ) {
      if (performance.now() - startMs > DEADLINE_MS) throw new Error('not within the deadline');
      const progress = await progressOf(node);
      lag = progress.lag;
      const mib = residentBytesOfTree(node.pid, 'postgres') / 1_048_576;
      samples.push({ done: progress.done, mib, at: (performance.now() - startMs) / 1_000 });
      if (progress.done >= ((tenth + 1) * count) / TENTHS) {
        tenth++;
        bench.note(`${progress.done} processed, ${mib.toFixed(0)} MiB`);
      }
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
    await sending;
    const seconds = (performance.now() - startMs) / 1_000;
    const pool = new Pool({ connectionString: node.databaseUrl, max: 1 });
    bench.onEnd(() => pool.end());
    await rowsBecome(pool, 'events', count, DEADLINE_MS);

    found.method(`${loaded?.repeats ?? 0} answers of 503 were repeated.`);
    found.group('Processed', 'notifications/s', 'more', [
      { subject: 'Tether: the whole node', role: 'tether', rounds: [count / seconds] },
    ]);
    found.group(
      'Resident memory, by tenths of what is processed',
      'MiB',
      'less',
      Array.from({ length: TENTHS }, (_, tenth) => ({
        subject: `up to ${(((tenth + 1) * count) / TENTHS).toLocaleString('en')}`,
        role: 'tether' as const,
        rounds: samples
          .filter(({ done }) => Math.min(TENTHS - 1, Math.floor((done / count) * TENTHS)) === tenth)
          .map(({ mib }) => mib),
      })),
    );
    found.curve({
      title: 'Resident memory, over the time',
      x: { title: 's', scale: 'linear' },
      y: { title: 'MiB', scale: 'linear' },
      series: [
        { name: 'Tether, without Postgres', role: 'tether', points: samples.map(({ at, mib }) => [at, mib]) },
      ],
    });
    found.quotient('most memory, MiB', [Math.max(...samples.map(({ mib }) => mib))], { atMost: BAR_MIB });
    return found.done();
  },
};
