/** What `tether doctor` does. */
import { resolve } from 'node:path';
import { censorOf } from '../censor.js';
import { examineConfig } from '../config.js';
import { GROUPS, idsOf, selectChecks } from '../doctor/groups.js';
import { secretsToHide } from '../doctor/known-secrets.js';
import { jsonReport, summaryOf, textReport } from '../doctor/report.js';
import { runChecks } from '../doctor/run-checks.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import type { Environment, Overrides } from '../settings.js';
import { didYouMean } from '../suggest.js';
import { interruption } from './interruption.js';

interface DoctorFlags {
  readonly up?: true;
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly strict?: true;
  readonly dotenv?: string;
  readonly json?: true;
}

/**
 * Looks at everything, also where the configuration is refused.
 * @throws UsageError for the id of a check that is not there
 */
async function examineNode(
  flags: DoctorFlags,
  env: Environment,
  overrides: Overrides,
  output: { readonly isTTY?: boolean },
): Promise<{ readonly text: string; readonly exitCode: number }> {
  const { only, skip } = flags;
  refuseUnknown('--only', only);
  refuseUnknown('--skip', skip);
  const groups = selectChecks(GROUPS, {
    ...(only === undefined ? {} : { only }),
    ...(skip === undefined ? {} : { skip }),
  });
  if (groups.every(({ checks }) => checks.length === 0)) {
    throw new UsageError('--only and --skip leave no check');
  }
  const mode = flags.up === true ? 'up' : 'start';
  const examined = await examineConfig(env, mode, overrides);
  const interrupt = interruption();
  try {
    const results = await runChecks(groups, {
      subject: { ...examined, mode, env, envFile: resolve(flags.dotenv ?? '.env') },
      signal: interrupt.signal,
      censor: censorOf(secretsToHide(examined.resolvedEnv, examined.endpoints)),
    });
    const summary = summaryOf(results);
    const isBad = summary.failed > 0 || (flags.strict === true && summary.warning > 0);
    const exitCode =
      interrupt.exitCode() ?? (examined.problems.length > 0 ? EXIT.config : isBad ? EXIT.failed : EXIT.ok);
    const colour = output.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
    const text =
      flags.json === true ? jsonReport(results, exitCode) : textReport(groups, results, { colour });
    return { text, exitCode };
  } finally {
    interrupt.release();
  }
}

function refuseUnknown(option: string, given: readonly string[] = []): void {
  const known = idsOf(GROUPS);
  const unknown = given.find((id) => !known.includes(id));
  if (unknown === undefined) return;
  throw new UsageError(
    `${option} has ${JSON.stringify(unknown)}, which is no check${didYouMean(unknown, known)}; there are ${known.join(', ')}`,
  );
}

export { type DoctorFlags, examineNode };
