/** Runs one check of the doctor as the command would, with an environment of the test's own. */
import { join } from 'node:path';
import { examineConfig } from '../../config.js';
import type { Environment, Mode } from '../../settings.js';
import type { Check } from '../check.js';
import { type Result, runChecks } from '../run-checks.js';

interface FindOptions {
  readonly mode?: Mode;
  readonly envFile?: string;
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

async function find(check: Check, env: Environment, options: FindOptions = {}): Promise<Result> {
  const { mode = 'up', envFile = join('/nonexistent', '.env'), deadlineMs, signal } = options;
  const examined = await examineConfig(env, mode);
  const [result] = await runChecks([{ id: 'test', title: 'Test', checks: [check] }], {
    subject: { ...examined, mode, env, envFile },
    signal: signal ?? new AbortController().signal,
    censor: (text) => text,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });
  if (result === undefined) throw new Error('the check gave nothing');
  return result;
}

/** By its id. */
function checkOf(checks: readonly Check[], id: string): Check {
  const found = checks.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

export { checkOf, find };
