/** What `tether config` does. It reads what a start would read, and writes nothing. */
import { censorOf } from '../censor.js';
import { examineConfig } from '../config.js';
import { type ConfigKeyView, configView } from '../config-view.js';
import { secretsToHide } from '../doctor/known-secrets.js';
import { EXIT } from '../exit-codes.js';
import type { Environment, Overrides } from '../settings.js';
import { textTable } from './table.js';

interface ConfigFlags {
  readonly up?: true;
  readonly all?: true;
  readonly json?: true;
}

interface Shown {
  readonly text: string;
  /** For stderr: problems, then warnings. */
  readonly notes: readonly string[];
  readonly exitCode: number;
}

async function showConfig(
  flags: ConfigFlags,
  env: Environment,
  overrides: Overrides,
  columns?: number,
): Promise<Shown> {
  const examined = await examineConfig(env, flags.up === true ? 'up' : 'start', overrides);
  const { resolvedEnv, endpoints, problems, warnings } = examined;
  const secrets = secretsToHide(resolvedEnv, endpoints);
  const censor = censorOf(secrets);
  const keys = configView(examined, overrides, secrets).filter(
    ({ source }) => flags.all === true || source !== 'default',
  );
  return {
    text: flags.json === true ? `${JSON.stringify(keys)}\n` : tableOf(keys, columns),
    notes: [...problems, ...warnings].map(censor),
    exitCode: problems.length > 0 ? EXIT.config : EXIT.ok,
  };
}

function tableOf(keys: readonly ConfigKeyView[], columns: number | undefined): string {
  if (keys.length === 0) return 'every key has its default\n';
  const rows = keys.map(({ key, value, source, file }) => [
    key,
    file === undefined ? source : `file ${file}`,
    value,
  ]);
  return textTable(['KEY', 'FROM', 'VALUE'], rows, columns);
}

export { type ConfigFlags, showConfig };
