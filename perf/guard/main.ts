/**
 * The regression guard: is what is built here slower than a base commit? It ends with 1 when it is, with 2 when it could not tell.
 *
 * Rates are measured in processes of both, interleaved (`rates.ts`), and compared with an interval, for a machine is never quiet. Counts of
 * instructions and of allocated bytes of the hot functions (`hot/`) are the complement without noise: they show a loss of a per cent in
 * a function that no rate would show, and know nothing of waiting, of the disk, of threads or of garbage collection.
 *
 * Run: npm run bench:guard -- [base commit] [--pairs N, default 6] [--rounds N of a pair, default 4] [--seconds N of a measurement, default 1]
 * [--only rates|counts] [--loss percent that is let pass, default 3]
 * Head is what is built in dist/, changes of the work tree included. The default base: see `readCheckout`.
 * Needs Debian's package wrk for the rates, and valgrind for the counts of instructions.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBase, readCheckout } from './base.js';
import { Cleanup } from './cleanup.js';
import { compareCounts } from './counts.js';
import { type GuardOptions, readOptions, USAGE } from './options.js';
import { rateSubjects } from './rate-subjects.js';
import { compareRates } from './rates.js';
import { countsText, ratesText, verdictText } from './report.js';
import type { Side } from './side.js';

const EXIT = { lost: 1, unknown: 2, interrupted: 130 } as const;

const root = fileURLToPath(new URL('../../../', import.meta.url));
const head: Side = { name: 'head', dist: new URL('../../', import.meta.url).href };
const note = (text: string) => process.stderr.write(`${text}\n`);
const cleanup = new Cleanup();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    note(`${signal}: cleaning up`);
    void cleanup.interrupt().then(() => process.exit(EXIT.interrupted));
  });
}

const options = optionsOrEnd();
try {
  process.exitCode = (await guard(options)) ? EXIT.lost : 0;
} catch (error) {
  if (!cleanup.signal.aborted) note(`bench:guard: ${error instanceof Error ? error.message : error}`);
  process.exitCode = cleanup.signal.aborted ? EXIT.interrupted : EXIT.unknown;
} finally {
  await cleanup.run();
}

function optionsOrEnd(): GuardOptions {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    note(`bench:guard: ${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(EXIT.unknown);
  }
}

/** Whether head lost. */
async function guard(options: GuardOptions): Promise<boolean> {
  const checkout = await readCheckout(root, options.base);
  const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tether-guard-'));
  cleanup.add(() => rmSync(directory, { recursive: true, force: true }));
  const base = await buildBase(root, checkout.base, directory, cleanup, note);
  const { model = 'unknown' } = cpus()[0] ?? {};
  console.log(`head: ${checkout.head.title}${checkout.changed ? ', and changes of the work tree' : ''}`);
  console.log(`base: ${checkout.base.title} (${checkout.reason})`);
  console.log(`${availableParallelism()} cores (${model.trim()}), Node ${process.version}`);

  const { lossPercentMax, pairs, rounds, seconds } = options;
  const none = { rows: [], notes: [] };
  const counts = options.counts
    ? await compareCounts(base, head, directory, lossPercentMax, cleanup, note)
    : none;
  const rates = options.rates
    ? await compareRates(base, head, rateSubjects(directory), directory, options, cleanup, note)
    : none;
  if (options.rates) {
    console.log(
      `${pairs} pairs of processes, ${rounds} rounds of each, ${seconds} s; let pass: ${lossPercentMax} %\n`,
    );
    console.log(ratesText(rates));
  }
  if (options.counts) console.log(`\n${countsText(counts)}`);
  if (rates.rows.length + counts.rows.length === 0) throw new Error('nothing of base could be compared');
  const verdict = verdictText(rates.rows, counts.rows);
  console.log(`\n${verdict.text}`);
  return verdict.fails;
}
