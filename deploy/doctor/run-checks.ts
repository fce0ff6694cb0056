/**
 * Runs checks, a few at a time, each within its time; takes back what they left, also when it is told to stop in the middle.
 *
 * A check that fails in a way of its own, or is too late, is a failed check and never the end of the others.
 */
import {
  type Check,
  type CheckContext,
  type Finding,
  failed,
  type Group,
  type Subject,
  skipped,
} from './check.js';

interface Result extends Finding {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  /** That it took. */
  readonly ms: number;
}

interface RunOptions {
  readonly subject: Subject;
  /** Aborted: what is under way is given up, and nothing more begins. */
  readonly signal: AbortSignal;
  /** Takes secrets out of what a check says. */
  readonly censor: (text: string) => string;
  /** For one check; default 5,000. */
  readonly deadlineMs?: number;
}

const AT_ONCE_MAX = 4;
const DEADLINE_MS = 5_000;
/** For the removal of a probe. */
const UNDO_MS_MAX = 6_000;

/** In the order of `groups`. */
async function runChecks(groups: readonly Group[], options: RunOptions): Promise<readonly Result[]> {
  const jobs = groups.flatMap((group) => group.checks.map((check) => ({ group: group.id, check })));
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < jobs.length; at = next++) {
      const job = jobs[at];
      if (job === undefined) return;
      const began = performance.now();
      const { outcome, found, advice } = await examine(job.check, options);
      results[at] = {
        id: job.check.id,
        group: job.group,
        title: job.check.title,
        outcome,
        found: options.censor(found),
        ...(advice === undefined ? {} : { advice: options.censor(advice) }),
        ms: Math.round(performance.now() - began),
      };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE_MAX }, worker));
  return results;
}

async function examine(check: Check, options: RunOptions): Promise<Finding> {
  const { subject, signal, deadlineMs = DEADLINE_MS } = options;
  if (signal.aborted) return skipped('the doctor was interrupted');
  const undoing: (() => Promise<void>)[] = [];
  const ending = new AbortController();
  const context: CheckContext = {
    ...subject,
    signal: ending.signal,
    undo(work) {
      undoing.push(work);
    },
  };
  const giveUp = new AbortController();
  const finding = await Promise.race([
    running(check, context),
    after(deadlineMs, giveUp.signal).then(() =>
      failed(`it is not done after ${deadlineMs} ms`, 'what it asks answers too slowly, or not at all'),
    ),
    aborted(signal, giveUp.signal).then(() => skipped('the doctor was interrupted')),
  ]);
  giveUp.abort();
  ending.abort();
  const left = await undo(undoing);
  if (left === undefined) return finding;
  return failed(
    `${finding.found}; and its probe could not be removed: ${left}`,
    'remove what is left by hand',
  );
}

async function running(check: Check, context: CheckContext): Promise<Finding> {
  try {
    return await check.run(context);
  } catch (error) {
    return failed(
      `the check could not be made: ${error instanceof Error ? error.message : String(error)}`,
      'mend what it met, and run it again',
    );
  }
}

/** @returns what could not be undone */
async function undo(works: (() => Promise<void>)[]): Promise<string | undefined> {
  let left: string | undefined;
  for (const work of works.reverse()) {
    const end = new AbortController();
    try {
      await Promise.race([
        work(),
        after(UNDO_MS_MAX, end.signal).then(() => {
          throw new Error(`not within ${UNDO_MS_MAX} ms`);
        }),
      ]);
    } catch (error) {
      left ??= error instanceof Error ? error.message : String(error);
    } finally {
      end.abort();
    }
  }
  return left;
}

/** Never, once `end` is aborted. */
function after(ms: number, end: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    end.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
}

function aborted(signal: AbortSignal, end: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true, signal: end });
  });
}

export { type Result, runChecks };
