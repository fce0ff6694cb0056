/**
 * One scenario under many orders of events: whatever an actor may not rely on (who is first, how large a batch is, when a reply
 * comes) is drawn anew for each seed. A failure names its seed, and the seed alone brings it back.
 *
 * This is a search by chance, as in the simulation tests of FoundationDB: it proves nothing, and finds much.
 */
import { TestSystem, type TestSystemOptions } from './test-system.js';

type SystemOptions = Omit<TestSystemOptions, 'seed'>;

export interface ExploreOptions extends SystemOptions {
  /** How many. Default 100. */
  readonly seeds?: number;
  /** Default 1. */
  readonly firstSeed?: number;
  /** This one alone; so does the environment variable `SEED`. */
  readonly seed?: number;
  /** Real milliseconds for one seed. Default 10,000. */
  readonly seedMsMax?: number;
}

/** A seed failed: which one, why, what happened last, and how to run it alone. */
export class ExplorationError extends Error {
  override readonly name = 'ExplorationError';
  readonly seed: number;
  /** As of `TestSystem`. */
  readonly trace: readonly string[];

  constructor(seed: number, passed: number, trace: readonly string[], cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const last = trace.slice(-LINES_MAX).map((line) => `  ${line}`);
    super(
      [
        `seed ${seed} fails${passed > 0 ? `, after ${passed} that passed` : ''}: ${reason}`,
        `To run it alone: SEED=${seed} in the environment, or explore({ seed: ${seed}, ... })`,
        `What happened last${trace.length > last.length ? ` (of ${trace.length} lines)` : ''}:`,
        ...last,
      ].join('\n'),
      { cause },
    );
    this.seed = seed;
    this.trace = trace;
  }
}

const LINES_MAX = 40;
const SEED_MS_MAX = 10_000;

/** Runs `scenario` once for each seed, each time with a new system. @throws ExplorationError at the first that fails */
export async function explore(
  options: ExploreOptions,
  scenario: (system: TestSystem) => Promise<void> | void,
): Promise<void> {
  const { seeds, firstSeed } = range(options);
  for (let passed = 0; passed < seeds; passed++) {
    const seed = firstSeed + passed;
    const system = await TestSystem.start({ ...options, seed });
    try {
      await within(options.seedMsMax ?? SEED_MS_MAX, async () => {
        await scenario(system);
        await system.settle();
      });
    } catch (error) {
      const trace = [...system.trace];
      await system.stop({ quiet: true });
      throw new ExplorationError(seed, passed, trace, error);
    }
    await system.stop();
  }
}

function range({ seed, seeds = 100, firstSeed = 1 }: ExploreOptions): {
  readonly seeds: number;
  readonly firstSeed: number;
} {
  const alone = seed ?? process.env.SEED;
  if (alone === undefined || alone === '') return { seeds, firstSeed };
  const only = Number(alone);
  if (!Number.isInteger(only)) throw new RangeError(`SEED is no whole number: ${alone}`);
  return { seeds: 1, firstSeed: only };
}

async function within(ms: number, action: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the scenario did not end in ${ms} ms of real time: it waits for something`)),
      ms,
    );
  });
  try {
    await Promise.race([action(), late]);
  } finally {
    clearTimeout(timer);
  }
}
