/**
 * The ramp: steps of load, each with a higher rate than the one before, until one is not held or the time is over.
 *
 * A node that does a step at its ease gets four times the rate next, one that works gets twice the rate. Where a step is not held, what was
 * measured in it is the limit; a rate between the last that was held and that one is tried while there is time, but not where the pool fell
 * behind: what it did in that step is what it can do, and each further message would only wait longer.
 */
import type { Step } from './measurements.js';

interface RampOptions {
  readonly rateFirst: number;
  readonly rateMax: number;
  /** Of `performance.now()`: no step is begun that would end after it. */
  readonly endMs: number;
  readonly stepSeconds: number;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly step: (rate: number, seconds: number) => Promise<Step>;
  readonly onStep: (step: Step) => void;
}

/** Below it a part is at its ease. */
const EASY = 0.35;
/** Rates that are nearer to one another are the same. */
const NEAR = 1.25;
/** Steps between the last that was held and the first that was not. */
const BETWEEN_MAX = 2;
const STEPS_MAX = 100;

async function runRamp(options: RampOptions): Promise<readonly Step[]> {
  const { endMs, stepSeconds, signal, now } = options;
  const steps: Step[] = [];
  while (!signal.aborted && steps.length < STEPS_MAX) {
    const rate = nextRate(steps, options.rateFirst, options.rateMax);
    if (rate === undefined) break;
    // The first one whatever the time says: without it there is nothing to tell.
    if (steps.length > 0 && now() + stepSeconds * 1_000 > endMs) break;
    const step = await options.step(rate, stepSeconds);
    // Cut short, it says nothing of its rate.
    if (signal.aborted) break;
    steps.push(step);
    options.onStep(step);
  }
  return steps;
}

/** Undefined: there is nothing more to find out. */
function nextRate(steps: readonly Step[], rateFirst: number, rateMax: number): number | undefined {
  const last = steps.at(-1);
  if (last === undefined) return Math.min(rateFirst, rateMax);
  const failed = steps.filter(({ verdict }) => verdict !== 'held');
  if (failed.length === 0) {
    const { rate } = last.load;
    return rate >= rateMax ? undefined : Math.min(rate * (isEasy(last) ? 4 : 2), rateMax);
  }
  if (failed.some(({ verdict }) => verdict === 'behind')) return undefined;
  const lowest = Math.min(...failed.map(({ load }) => load.rate));
  const held = steps.filter(({ verdict, load }) => verdict === 'held' && load.rate < lowest);
  if (held.length === 0) return undefined;
  const highest = Math.max(...held.map(({ load }) => load.rate));
  const between = steps.length - steps.findIndex(({ verdict }) => verdict !== 'held') - 1;
  if (between >= BETWEEN_MAX || lowest / highest < NEAR ** 2) return undefined;
  return Math.sqrt(highest * lowest);
}

function isEasy({ load, node }: Step): boolean {
  if (node === null) return false;
  return [load.busy, node.gatewayBusy, node.pool?.busy ?? 0].every((busy) => busy !== null && busy < EASY);
}

export { nextRate, runRamp };
