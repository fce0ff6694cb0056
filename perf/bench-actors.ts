/**
 * How fast actors exchange messages: Tether's beside peers (nact, Erlang/OTP with plain processes) and limits (a bare
 * loop; between threads a bare MessagePort and `piscina.run`) on the benchmarks of the Savina suite. One table from one
 * run, the rounds interleaved over the subjects, each measurement in a process of its own.
 *
 * Run: npm run bench:actors -- [rounds, default 5] [scale, default 1] [--only name,...]
 * Names are those of subjects (actors/subjects.ts) and of benchmarks (actors/parameters.ts). Erlang is in Debian's
 * package erlang-base; without it its columns stay empty.
 *
 * The protocol of a subject: its program gets `<benchmark> <scale>`, runs the benchmark with the parameters of
 * actors/parameters.ts, and prints as its last line one of
 *
 *     {"benchmark":"counting","messages":3000000,"ms":612.5,"proof":[1000000]}
 *     {"benchmark":"activations","bytesPerActivation":312}
 *     {"benchmark":"big","skipped":true}
 *
 * The first is a rate. Before it the program warms up with whole runs at a tenth of the scale for at least 300 ms; then it
 * repeats whole runs until they have taken 500 ms, and says how many messages they exchanged (a multiple of those of one
 * run), their time without the start of the process, and the proof of the last run. The proof is compared here, with the
 * same numbers for every subject. The second is of the measure that is no rate: bytes of one live activation beyond its
 * state, a million of them at scale 1. The third is of a benchmark that the subject lacks. Programs in JavaScript call
 * `runProgram` (actors/program.ts) with a function for each benchmark, and have all of that. Two further benchmarks go
 * between threads: `cross-throughput` (Uint8Arrays of 100 bytes, one way) and `cross-ask` (round trips, one in flight).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ACTIVATION_BYTES_BELOW, COMPARISONS } from './actors/comparisons.js';
import { ACTIVATIONS, activationsOf, BENCHMARK_NAMES } from './actors/parameters.js';
import { missedBars, ratesTable, ratiosTable } from './actors/report.js';
import { type Measure, runSubject, type Subject } from './actors/subject.js';
import { subjects as allSubjects } from './actors/subjects.js';
import { showSpread, spread } from './table.js';

const DEADLINE_MS = 300_000;
const MEASURES: readonly Measure[] = [...BENCHMARK_NAMES, ACTIVATIONS];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
const [rounds = 5, scale = 1] = positionals.map(Number);
if (!Number.isInteger(rounds) || rounds < 1 || !(scale > 0))
  throw new RangeError('rounds is a whole number from 1, scale a number above 0');
const directory = mkdtempSync(join(tmpdir(), 'tether-bench-'));
const note = (text: string) => process.stderr.write(`${text}\n`);

try {
  const { subjects, measures } = chosen(await allSubjects(directory, note), values.only?.split(','));
  const results = new Map(subjects.map(({ name }) => [name, new Map<Measure, number[]>()]));
  const failures = await measureAll(subjects, measures, results);
  report(subjects, measures, results);
  if (failures.length > 0) {
    console.log(`\nFailed:\n${failures.map((failure) => `- ${failure}`).join('\n')}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** What `--only` leaves: of subjects and of benchmarks those named, or all when none of the kind is named. */
function chosen(subjects: readonly Subject[], only: readonly string[] = []) {
  const names = subjects.map(({ name }) => name);
  const allowed = [...names, ...MEASURES];
  const unknown = only.find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw new RangeError(`--only has no ${unknown}, but: ${allowed.join(', ')}`);
  const kept = subjects.filter(({ name }) => only.includes(name));
  const measures = MEASURES.filter((measure) => only.includes(measure));
  return {
    subjects: kept.length > 0 ? kept : subjects,
    measures: measures.length > 0 ? measures : MEASURES,
  };
}

/** Fills the results; a measure that a subject lacks or fails in is not asked again. Resolves with the failures. */
async function measureAll(
  subjects: readonly Subject[],
  measures: readonly Measure[],
  results: ReadonlyMap<string, Map<Measure, number[]>>,
): Promise<readonly string[]> {
  const failures: string[] = [];
  const done = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    for (const measure of measures) {
      for (const subject of subjects) {
        const cell = `${subject.title}, ${measure}`;
        if (done.has(cell)) continue;
        try {
          const outcome = await runSubject(subject, measure, scale, DEADLINE_MS);
          if (outcome.kind === 'skipped') {
            done.add(cell);
            continue;
          }
          const value = outcome.kind === 'rate' ? outcome.messagesPerSecond : outcome.bytesPerActivation;
          const series = results.get(subject.name);
          series?.set(measure, [...(series.get(measure) ?? []), value]);
        } catch (error) {
          done.add(cell);
          failures.push(`${cell}: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
    note(`round ${round + 1} of ${rounds}`);
  }
  return failures;
}

function report(
  subjects: readonly Subject[],
  measures: readonly Measure[],
  results: ReadonlyMap<string, ReadonlyMap<Measure, readonly number[]>>,
): void {
  const benchmarks = measures.filter((measure) => measure !== ACTIVATIONS);
  const { model = 'unknown' } = cpus()[0] ?? {};
  console.log(
    `${rounds} rounds at scale ${scale}, ${availableParallelism()} cores (${model.trim()}), Node ${process.version}`,
  );
  console.log('Median over the rounds, least and most in brackets.\n');
  console.log(ratesTable(benchmarks, subjects, results));
  const ratios = ratiosTable(benchmarks, COMPARISONS, results);
  if (ratios !== '') console.log(`\n${ratios}`);
  for (const missed of missedBars(benchmarks, COMPARISONS, results)) console.log(`\nMissed: ${missed}`);
  for (const { name, title } of subjects) {
    const bytes = results.get(name)?.get(ACTIVATIONS) ?? [];
    if (bytes.length === 0) continue;
    const measured = spread(bytes);
    console.log(
      `\n${title}: ${showSpread(measured, 0)} bytes for each of ` +
        `${activationsOf(scale).toLocaleString('en')} live activations, beyond its state`,
    );
    if (measured.median >= ACTIVATION_BYTES_BELOW)
      console.log(
        `\nMissed: ${title}, ${ACTIVATIONS}: ${Math.round(measured.median)} bytes, below ${ACTIVATION_BYTES_BELOW}`,
      );
  }
}
