/** What the commands share: options that stand for configuration keys, and the reading of option values. */
import { type Command, InvalidArgumentError } from 'commander';
import type { ConfigKey } from '../config-keys.js';
import type { Overrides } from '../settings.js';

/** Option name (as commander stores it) to the flag and the key it stands for. */
const KEY_OPTIONS = {
  port: ['--port', 'TETHER_PORT'],
  host: ['--host', 'TETHER_HOST'],
  dataDir: ['--data-dir', 'TETHER_DATA_DIR'],
  endpoints: ['--endpoints', 'TETHER_ENDPOINTS'],
  threads: ['--threads', 'TETHER_THREADS'],
  logLevel: ['--log-level', 'TETHER_LOG_LEVEL'],
  url: ['--url', 'TETHER_URL'],
} as const satisfies Record<string, readonly [string, ConfigKey]>;

type KeyOption = keyof typeof KEY_OPTIONS;

/** The configuration keys that the given options set. */
function overridesOf(options: { readonly [Name in KeyOption]?: string }): Overrides {
  const overrides = new Map<ConfigKey, { readonly option: string; readonly value: string }>();
  for (const name of Object.keys(KEY_OPTIONS) as KeyOption[]) {
    const value = options[name];
    const [option, key] = KEY_OPTIONS[name];
    if (value !== undefined) overrides.set(key, { option, value });
  }
  return overrides;
}

/** What every command takes that asks a running node (`NodeFlags`). */
function addNodeOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the node (TETHER_URL; default: TETHER_HOST and TETHER_PORT)')
    .option('--data-dir <path>', 'where an embedded node keeps its API token (TETHER_DATA_DIR)')
    .option('--token <token>', 'API token, or env:NAME or file:/path (TETHER_API_TOKEN)')
    .option('--json', 'print JSON');
}

/** A parser of whole numbers for commander. */
function wholeFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw new InvalidArgumentError(`Allowed is a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** `10%` or `0.1`; from 0 to 99 %. */
function parseShare(text: string): number {
  const match = /^(\d{1,3}(?:\.\d{1,6})?)(%?)$/.exec(text);
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(share >= 0 && share <= 0.99)) throw new InvalidArgumentError('Allowed is 0% to 99%, or 0 to 0.99.');
  return share;
}

/** Per second; `max` is Infinity. */
function parseRate(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const rate = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (!(rate > 0)) throw new InvalidArgumentError('Allowed is a number above 0 per second, or max.');
  return rate;
}

export { addNodeOptions, overridesOf, parseRate, parseShare, wholeFrom };
