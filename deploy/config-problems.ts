/** What is said of keys that do not exist and of values that are refused. No value of a secret stands in it. */
import { CONFIG_KEY_NAMES, CONFIG_KEYS, type ConfigKey } from './config-keys.js';
import { fileKeyOf } from './secret-files.js';
import { nearest } from './suggest.js';

/** @param env without the keys that name files of secrets */
function unknownKeys(env: Readonly<Record<string, string | undefined>>): string[] {
  const problems: string[] = [];
  for (const name of Object.keys(env)) {
    if (!name.startsWith('TETHER_') || Object.hasOwn(CONFIG_KEYS, name)) continue;
    if (/^TETHER_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP))/.test(name)) {
      problems.push(
        `${name} is no key of Tether's: Kubernetes sets it for a Service named "tether"; set enableServiceLinks: false on the pod`,
      );
      continue;
    }
    const near = nearest(name, NAMES);
    problems.push(
      `${name} is not a key${near === undefined ? '; the keys are in .env.example' : `: did you mean ${near}?`}`,
    );
  }
  return problems;
}

const NAMES: readonly string[] = CONFIG_KEY_NAMES.flatMap((key) =>
  CONFIG_KEYS[key].secret ? [key, fileKeyOf(key)] : [key],
);

/** @param name the option that gave it, or the key */
function refusal(key: ConfigKey, given: string, name: string): string {
  const declaration = CONFIG_KEYS[key];
  const shown = declaration.secret ? 'has a value that is refused' : `is ${quote(given)}`;
  const hint =
    key === 'TETHER_PORT' && /^(tcp|udp):/.test(given)
      ? ' (Kubernetes sets this for a Service named "tether"; set enableServiceLinks: false on the pod)'
      : '';
  return `${name} ${shown}: allowed is ${declaration.allowed}${hint}`;
}

const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);

export { refusal, unknownKeys };
