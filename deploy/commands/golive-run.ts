/** What `tether golive` does. */
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { makeDirectory } from '../../storage/make-directory.js';
import { censorOf } from '../censor.js';
import { examineConfig } from '../config.js';
import type { Group } from '../doctor/check.js';
import { GROUPS } from '../doctor/groups.js';
import { secretsToHide } from '../doctor/known-secrets.js';
import { textReport } from '../doctor/report.js';
import { type Result, runChecks } from '../doctor/run-checks.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { liveGroups } from '../golive/live-checks.js';
import { type GoliveReport, isGo, jsonOf, markdownReport, verdict } from '../golive/report.js';
import { type Environment, parseSettings } from '../settings.js';
import { runSteps } from '../smoke/run-steps.js';
import { NODE_STEPS, WEBHOOK_STEPS } from '../smoke/steps.js';
import { UPLOAD_STEPS } from '../smoke/upload-steps.js';
import { version } from '../version.js';
import { interruption } from './interruption.js';
import { apiTokenOf } from './node-client.js';
import { overridesOf } from './options.js';
import { referred } from './referred.js';

interface GoliveFlags {
  readonly apiUrl?: string;
  readonly token?: string;
  readonly dataDir?: string;
  readonly endpoint: string;
  readonly endpointToken?: string;
  readonly password?: string;
  readonly withoutUploads?: true;
  readonly deadline: number;
  readonly strict?: true;
  readonly dotenv: string;
  readonly out?: string;
  readonly json?: true;
}

/** What the smoke test and the live checks ask, and with what. */
interface Deployed {
  readonly url: string;
  readonly apiUrl: string;
  readonly apiToken: string;
  readonly endpointToken: string;
  readonly password: string;
}

const SMOKE: Group = { id: 'smoke', title: 'The smoke test', checks: [] };

/** @throws UsageError, ConfigError */
async function golive(
  given: string | undefined,
  flags: GoliveFlags,
  env: Environment,
  output: { readonly isTTY?: boolean },
): Promise<{ readonly text: string; readonly exitCode: number }> {
  const overrides = overridesOf(flags.dataDir === undefined ? {} : { dataDir: flags.dataDir });
  const examined = await examineConfig(env, 'start', overrides);
  const deployed = given === undefined ? undefined : await deployedAt(given, flags, env);
  const live = deployed === undefined ? [] : liveGroups(deployed);
  const secrets = [
    ...secretsToHide(examined.resolvedEnv, examined.endpoints),
    ...(deployed === undefined ? [] : [deployed.apiToken, deployed.endpointToken, deployed.password]),
  ];
  const censor = censorOf(secrets);
  const interrupt = interruption();
  try {
    const { signal } = interrupt;
    const results: Result[] = [
      ...(await runChecks([...GROUPS, ...live], {
        subject: { ...examined, mode: 'start', env, envFile: resolve(flags.dotenv) },
        signal,
        censor,
      })),
    ];
    if (deployed !== undefined) {
      const steps = [...NODE_STEPS, ...WEBHOOK_STEPS, ...(flags.withoutUploads === true ? [] : UPLOAD_STEPS)];
      const target = { ...deployed, endpoint: flags.endpoint };
      const smoked = await runSteps({ target, steps, signal, effectMsMax: flags.deadline * 1_000 });
      results.push(
        ...smoked.map((result) => ({
          ...result,
          id: `smoke-${result.id}`,
          group: SMOKE.id,
          found: censor(result.found),
        })),
      );
    }
    const report: GoliveReport = {
      at: new Date(),
      version: version(),
      machine: hostname(),
      url: deployed?.url,
      strict: flags.strict === true,
      groups: [...GROUPS, ...live, SMOKE],
      results,
    };
    if (flags.out !== undefined) await keep(report, flags.out);
    const refused = examined.problems.length > 0 ? EXIT.config : isGo(report) ? EXIT.ok : EXIT.failed;
    const colour = output.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
    return {
      text:
        flags.json === true
          ? `${JSON.stringify(jsonOf(report), null, 2)}\n`
          : `${textReport([...GROUPS, ...live, SMOKE], results, { colour })}${verdict(report)}\n`,
      exitCode: interrupt.exitCode() ?? refused,
    };
  } finally {
    interrupt.release();
  }
}

/** @throws UsageError, ConfigError */
async function deployedAt(given: string, flags: GoliveFlags, env: Environment): Promise<Deployed> {
  if (flags.endpointToken === undefined || flags.password === undefined)
    throw new UsageError('after a deployment a webhook is sent: give --endpoint-token and --password');
  const addressed = (url: string) =>
    parseSettings(
      env,
      overridesOf({ url, ...(flags.dataDir === undefined ? {} : { dataDir: flags.dataDir }) }),
    );
  const settings = addressed(given);
  const [apiToken, endpointToken, password] = await Promise.all([
    apiTokenOf(settings, flags.token, env),
    referred('--endpoint-token', flags.endpointToken, env),
    referred('--password', flags.password, env),
  ]);
  const apiUrl = flags.apiUrl === undefined ? settings.url : addressed(flags.apiUrl).url;
  return { url: settings.url, apiUrl, apiToken, endpointToken, password };
}

/** What it says of machines and secrets is for those who are on call. */
async function keep(report: GoliveReport, directory: string): Promise<void> {
  try {
    await makeDirectory(resolve(directory), 0o700);
    await writeFile(join(directory, 'golive.md'), `${markdownReport(report)}\n`, { mode: 0o600 });
    await writeFile(join(directory, 'golive.json'), `${JSON.stringify(jsonOf(report), null, 2)}\n`, {
      mode: 0o600,
    });
  } catch (cause) {
    throw new UsageError(`--out ${directory}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

export { type GoliveFlags, golive };
