/** The value of an option that may be a reference, `env:NAME` or `file:/path`, as in the endpoints file. */

import { resolveReference } from '../endpoints/references.js';
import { ConfigError } from '../errors.js';
import type { Environment } from '../settings.js';

/** @throws ConfigError naming the option, never a value */
async function referred(option: string, text: string, env: Environment): Promise<string> {
  const result = await resolveReference(text, env);
  if ('problem' in result) throw new ConfigError([`${option}: ${result.problem}`]);
  return result.value;
}

export { referred };
