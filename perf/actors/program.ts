/**
 * A subject in JavaScript: runs one benchmark as the protocol in `scenarios/actors.ts` wants it, and prints its line.
 *
 * Whole runs are repeated until they have taken long enough, first at a tenth of the scale to warm up, then to be
 * measured: a single run of a short benchmark is over before the compiler has seen it.
 */
import { parseArgs } from 'node:util';
import {
  ACTIVATIONS,
  activationsOf,
  BENCHMARK_NAMES,
  type BenchmarkName,
  type ParametersOf,
  taskOf,
} from './parameters.js';

/** Does the work once and resolves with its proof. */
type Run<Name extends BenchmarkName> = (parameters: ParametersOf<Name>) => Promise<readonly number[]>;

export type Program = { readonly [Name in BenchmarkName]?: Run<Name> } & {
  /** Resolves with the bytes of one live activation beyond its state. */
  readonly [ACTIVATIONS]?: (activations: number) => Promise<number>;
};

export const WARM_UP_SCALE = 0.1;
export const WARM_UP_MS_MIN = 300;
export const MEASURED_MS_MIN = 500;

export async function runProgram(program: Program): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [name = '', scaleText = '1'] = positionals;
  console.log(JSON.stringify({ benchmark: name, ...(await measure(program, name, Number(scaleText))) }));
}

async function measure(program: Program, name: string, scale: number): Promise<object> {
  if (!Number.isFinite(scale) || scale <= 0)
    throw new RangeError(`a scale is a number above 0, not ${scale}`);
  if (name === ACTIVATIONS) {
    const bytesPerActivation = await program[ACTIVATIONS]?.(activationsOf(scale));
    return bytesPerActivation === undefined ? { skipped: true } : { bytesPerActivation };
  }
  if (!isBenchmark(name)) throw new RangeError(`no benchmark is named ${name}`);
  const run = program[name] as ((parameters: object) => Promise<readonly number[]>) | undefined;
  if (run === undefined) return { skipped: true };
  await repeat(run, taskOf(name, scale * WARM_UP_SCALE), WARM_UP_MS_MIN);
  return repeat(run, taskOf(name, scale), MEASURED_MS_MIN);
}

async function repeat(
  run: (parameters: object) => Promise<readonly number[]>,
  task: ReturnType<typeof taskOf>,
  msMin: number,
) {
  let ms = 0;
  let runs = 0;
  let proof: readonly number[] = [];
  while (ms < msMin) {
    const start = performance.now();
    proof = await run(task.parameters);
    ms += performance.now() - start;
    runs++;
    if (JSON.stringify(proof) !== JSON.stringify(task.proof))
      throw new Error(`the proof of the run is ${proof}, not ${task.proof}`);
  }
  return { messages: runs * task.messages, ms, proof };
}

const isBenchmark = (name: string): name is BenchmarkName =>
  (BENCHMARK_NAMES as readonly string[]).includes(name);
