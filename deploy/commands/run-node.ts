/** What `tether up` and `tether start` do. */
import { loadConfig, secretsOf } from '../config.js';
import { createLogger } from '../logger.js';
import { runNode } from '../node.js';
import type { Environment, Mode, Overrides } from '../settings.js';

/** Runs a node until it is told to stop. Resolves with the exit code. @throws ConfigError before anything is started */
async function run(mode: Mode, env: Environment, overrides: Overrides): Promise<number> {
  const config = await loadConfig(env, mode, overrides);
  if (config.warnings.length > 0) {
    const logger = createLogger({ level: config.logLevel, secrets: secretsOf(config) });
    for (const warning of config.warnings) logger.warn({}, warning);
  }
  return runNode(config, { mode });
}

export { run };
