/** What `tether smoke` does. */

import type { Group } from '../doctor/check.js';
import { jsonReport, summaryOf, textReport } from '../doctor/report.js';
import { EXIT } from '../exit-codes.js';
import { type Environment, parseSettings } from '../settings.js';
import { runSteps } from '../smoke/run-steps.js';
import { NODE_STEPS, WEBHOOK_STEPS } from '../smoke/steps.js';
import { UPLOAD_STEPS } from '../smoke/upload-steps.js';
import { interruption } from './interruption.js';
import { apiTokenOf } from './node-client.js';
import { overridesOf } from './options.js';
import { referred } from './referred.js';

interface SmokeFlags {
  readonly apiUrl?: string;
  readonly dataDir?: string;
  readonly token?: string;
  readonly endpoint: string;
  readonly endpointToken: string;
  readonly password: string;
  readonly withoutUploads?: true;
  readonly deadline: number;
  readonly json?: true;
}

const GROUPS: readonly Group[] = [
  { id: 'node', title: 'The node', checks: [] },
  { id: 'webhooks', title: 'Webhooks', checks: [] },
  { id: 'uploads', title: 'Files', checks: [] },
];

/** @throws ConfigError */
async function smoke(
  given: string | undefined,
  flags: SmokeFlags,
  env: Environment,
  output: { readonly isTTY?: boolean },
): Promise<{ readonly text: string; readonly exitCode: number }> {
  const { dataDir, withoutUploads } = flags;
  const addressed = (url: string | undefined) =>
    parseSettings(
      env,
      overridesOf({ ...(url === undefined ? {} : { url }), ...(dataDir === undefined ? {} : { dataDir }) }),
    );
  const settings = addressed(given);
  const [apiToken, endpointToken, password] = await Promise.all([
    apiTokenOf(settings, flags.token, env),
    referred('--endpoint-token', flags.endpointToken, env),
    referred('--password', flags.password, env),
  ]);
  const { url } = settings;
  const apiUrl = flags.apiUrl === undefined ? url : addressed(flags.apiUrl).url;
  const interrupt = interruption();
  try {
    const results = await runSteps({
      target: { url, apiUrl, apiToken, endpoint: flags.endpoint, endpointToken, password },
      steps: [...NODE_STEPS, ...WEBHOOK_STEPS, ...(withoutUploads === true ? [] : UPLOAD_STEPS)],
      signal: interrupt.signal,
      effectMsMax: flags.deadline * 1_000,
    });
    const exitCode = interrupt.exitCode() ?? (summaryOf(results).failed > 0 ? EXIT.failed : EXIT.ok);
    const colour = output.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
    const text =
      flags.json === true ? jsonReport(results, exitCode) : textReport(GROUPS, results, { colour });
    return { text, exitCode };
  } finally {
    interrupt.release();
  }
}

export { type SmokeFlags, smoke };
