/**
 * How fast actors exchange messages: Tether's beside peers (nact, Erlang/OTP with plain processes; between threads `piscina.run` and poolifier)
 * and limits (a bare loop; between threads a bare MessagePort) on the benchmarks of the Savina suite. The rounds are interleaved over the
 * subjects, each measurement in a process of its own.
 *
 * `ACTORS_SCALE` (default 1) multiplies the amount of work: 0.01 for a short try, whose figures say nothing.
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
import { ACTIVATION_BYTES_MAX, COMPARISONS } from '../actors/comparisons.js';
import { ACTIVATIONS, activationsOf, BENCHMARK_NAMES } from '../actors/parameters.js';
import { ratiosOf } from '../actors/ratios.js';
import { type Measure, runSubject, type Subject } from '../actors/subject.js';
import { subjects as allSubjects } from '../actors/subjects.js';
import { Findings } from '../harness/findings.js';
import type { Bench, Scenario } from '../harness/scenario.js';

const DEADLINE_MS = 300_000;
const MEASURES: readonly Measure[] = [...BENCHMARK_NAMES, ACTIVATIONS];

/** Subject by name, then measure, to a value for each round. */
type Results = ReadonlyMap<string, Map<Measure, number[]>>;

export const actors: Scenario = {
  name: 'actors',
  title: 'Actors on the benchmarks of the Savina suite',
  needs: [{ program: 'erlc', package: 'erlang-base' }],
  minutes: 7,
  isUsual: true,
  async run(bench) {
    const { rounds = 5 } = bench;
    const scale = Number(process.env.ACTORS_SCALE ?? 1);
    if (!(scale > 0)) throw new RangeError(`ACTORS_SCALE is ${scale}, allowed is a number above 0`);
    const found = new Findings([
      `${rounds} rounds${scale === 1 ? '' : ` at a scale of ${scale}, for a try`}; each runs every benchmark with every subject once, each in a process of its own: whole runs at a tenth of the scale for at least 300 ms, then whole runs until they have taken 500 ms.`,
      'Thirteen benchmarks of Savina (Imam and Sarkar 2014) with the parameters of the suite, in every subject the same messages and the same proof of the result; what the suite burns between messages to imitate work is left out. perf/actors/parameters.ts says what counts as a message.',
      'Between threads go cross-throughput (100 bytes, one way) and cross-ask (round trips, one in flight).',
    ]);
    const subjects = await allSubjects(bench.directory);
    const results: Results = new Map(subjects.map(({ name }) => [name, new Map()]));
    const failures = await measureAll(bench, rounds, scale, subjects, results);
    tell(found, subjects, results, scale);
    for (const failure of failures) found.warn(`failed: ${failure}`);
    // A subject that did not do its work may not pass for one that lacks a benchmark.
    if (failures.length > 0) found.quotient('measurements that failed', [failures.length], { atMost: 0 });
    return found.done();
  },
};

/** Fills the results; a measure that a subject lacks or fails in is not asked again. Resolves with the failures. */
async function measureAll(
  bench: Bench,
  rounds: number,
  scale: number,
  subjects: readonly Subject[],
  results: Results,
): Promise<readonly string[]> {
  const failures: string[] = [];
  const done = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    for (const measure of MEASURES) {
      for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
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
    bench.note(`round ${round + 1} of ${rounds}`);
  }
  return failures;
}

function tell(found: Findings, subjects: readonly Subject[], results: Results, scale: number): void {
  const runs = (measure: Measure) =>
    subjects.map(({ name, title, role }) => ({
      subject: title,
      role,
      rounds: results.get(name)?.get(measure) ?? [],
    }));
  for (const benchmark of BENCHMARK_NAMES) found.group(benchmark, 'messages/s', 'more', runs(benchmark));
  const bytes = runs(ACTIVATIONS);
  const activations = activationsOf(scale).toLocaleString('en');
  found.group(`Memory of one of ${activations} live activations, beyond its state`, 'bytes', 'less', bytes);
  for (const comparison of COMPARISONS) {
    for (const { row, rounds, atLeast } of ratiosOf(BENCHMARK_NAMES, comparison, results)) {
      const bar = atLeast === undefined ? undefined : { atLeast };
      found.quotient(`${comparison.title}: ${row}`, rounds, bar);
    }
  }
  for (const { subject, rounds } of bytes) {
    if (rounds.length > 0)
      found.quotient(`${subject}: bytes of a live activation`, rounds, { atMost: ACTIVATION_BYTES_MAX });
  }
}
