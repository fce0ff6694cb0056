/**
 * Runs the steps one after the other; those that need one that failed are skipped. What was made is removed in any case, also after an interruption.
 */
import type { Result } from '../doctor/run-checks.js';
import { AwayFailure, SmokeFailure, SmokeHttp } from './http.js';
import { type SmokeContext, type SmokeStep, type SmokeTarget, smokeState } from './steps.js';
import { cleanUp } from './upload-steps.js';

interface SmokeOptions {
  readonly target: SmokeTarget;
  readonly steps: readonly SmokeStep[];
  /** Aborted: what is under way is given up, and what was made is removed. */
  readonly signal: AbortSignal;
  /** For an effect that comes after an answer, milliseconds. */
  readonly effectMsMax: number;
}

const LOOK_MS = 200;

const CLEAN_UP = { id: 'clean-up', group: 'uploads', title: 'What was made is removed' } as const;

/** In the order of `steps`, and `clean-up` at last, if there was anything. */
async function runSteps({ target, steps, signal, effectMsMax }: SmokeOptions): Promise<readonly Result[]> {
  const context: SmokeContext = {
    target,
    http: new SmokeHttp(signal),
    lasting: new SmokeHttp(),
    state: smokeState(target.password),
    async until(late, look) {
      const end = performance.now() + effectMsMax;
      for (;;) {
        const { found, away } = await looked(look);
        if (found !== undefined) return found;
        if (signal.aborted) throw new SmokeFailure('interrupted');
        if (performance.now() > end)
          throw new SmokeFailure(`after ${effectMsMax / 1_000} s ${away?.message ?? late()}`, away?.advice);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
  };
  const results: Result[] = [];
  for (const step of steps) results.push(await run(step, context, signal, results));
  const removed = await tried(CLEAN_UP, () => cleanUp(context));
  if (removed !== undefined) results.push(removed);
  return results;
}

/** What is away now may be there at the next look. @throws SmokeFailure (rejects) of any other kind */
async function looked<Value>(
  look: () => Promise<Value | undefined>,
): Promise<{ readonly found?: Value | undefined; readonly away?: AwayFailure }> {
  try {
    return { found: await look() };
  } catch (error) {
    if (error instanceof AwayFailure) return { away: error };
    throw error;
  }
}

async function run(
  step: SmokeStep,
  context: SmokeContext,
  signal: AbortSignal,
  before: readonly Result[],
): Promise<Result> {
  const { id, group, title } = step;
  const missing = step.needs.find((need) =>
    before.some((result) => result.id === need && result.outcome !== 'ok'),
  );
  if (signal.aborted) return { id, group, title, outcome: 'skipped', found: 'it was interrupted', ms: 0 };
  if (missing !== undefined)
    return { id, group, title, outcome: 'skipped', found: `it needs ${missing}`, ms: 0 };
  return (await tried(step, () => step.run(context))) as Result;
}

/** Undefined when there was nothing to do. */
async function tried(
  { id, group, title }: Pick<SmokeStep, 'id' | 'group' | 'title'>,
  work: () => Promise<string | undefined>,
): Promise<Result | undefined> {
  const began = performance.now();
  const ms = () => Math.round(performance.now() - began);
  try {
    const found = await work();
    return found === undefined ? undefined : { id, group, title, outcome: 'ok', found, ms: ms() };
  } catch (error) {
    if (!(error instanceof SmokeFailure)) throw error;
    const { message, advice } = error;
    return {
      id,
      group,
      title,
      outcome: 'failed',
      found: message,
      ...(advice === undefined ? {} : { advice }),
      ms: ms(),
    };
  }
}

export { runSteps, type SmokeOptions };
