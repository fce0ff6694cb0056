/** The configuration as a node took it, for people: each key with what it has, and no secret. */
import type { ConfigKeyView } from '../gateway/api/status.js';
import { CENSOR, censorOf } from './censor.js';
import { CONFIG_KEY_NAMES, CONFIG_KEYS, type ConfigKey } from './config-keys.js';

interface Given {
  /** With what stands in files of secrets. */
  readonly resolvedEnv: Readonly<Record<string, string | undefined>>;
  readonly secretFiles: ReadonlyMap<ConfigKey, string>;
}

/** @param secrets that no value may show, wherever they stand */
function configView(
  { resolvedEnv: env, secretFiles }: Given,
  overrides: ReadonlyMap<ConfigKey, { readonly value: string }>,
  secrets: readonly string[],
): readonly ConfigKeyView[] {
  const censor = censorOf(secrets);
  return CONFIG_KEY_NAMES.map((key) => {
    const { secret, list, default: standard } = CONFIG_KEYS[key];
    const given = overrides.get(key)?.value ?? env[key];
    const isSet = given !== undefined && (given !== '' || list);
    const value = (isSet ? given : standard) ?? '';
    const file = secretFiles.get(key);
    return {
      key,
      value: secret && value !== '' ? CENSOR : censor(value),
      default: standard ?? null,
      source: file !== undefined ? 'file' : isSet ? 'set' : 'default',
      secret,
      ...(file === undefined ? {} : { file: censor(file) }),
    };
  });
}

export { type ConfigKeyView, configView };
