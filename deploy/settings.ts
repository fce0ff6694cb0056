/**
 * Settings: what the environment alone decides, total and frozen. The commands that ask a node need no more, and this loads little.
 *
 * Every problem is reported at once, each with the key, what was given (never the value of a secret) and what is
 * allowed. A `TETHER_` key that does not exist is refused as well: a setting that is misspelt is worse than none.
 *
 * It reads nothing but files of secrets; `config.ts` also reads the endpoints file and the API token.
 */
import { resolve } from 'node:path';
import type { PoolSize } from '../runtime/pool/pool-size.js';
import { CONFIG_KEY_NAMES, CONFIG_KEYS, type ConfigKey, type ConfigValues } from './config-keys.js';
import { refusal, unknownKeys } from './config-problems.js';
import { logDriverOf, rulesBetween } from './config-rules.js';
import { ConfigError } from './errors.js';
import { fileKeyOf, readSecretFiles } from './secret-files.js';
import type { TlsFiles } from './tls-files.js';

/**
 * - `up`: everything in one process tree; what is not set gets a default for trying out
 * - `start`: production; endpoints, database and API token are given
 */
type Mode = 'up' | 'start';
type LogLevel = NonNullable<ConfigValues['TETHER_LOG_LEVEL']>;
type Environment = Readonly<Record<string, string | undefined>>;
/** Keys that the command line sets, with the option that did, for messages. They win over the environment. */
type Overrides = ReadonlyMap<ConfigKey, { readonly option: string; readonly value: string }>;

/** What the environment alone decides. */
interface Settings {
  readonly port: number;
  readonly host: string;
  /** Absolute. */
  readonly dataDir: string;
  /** Undefined: the embedded Postgres. */
  readonly databaseUrl: string | undefined;
  readonly apiToken: string | undefined;
  /** Absolute path, or undefined. */
  readonly endpointsFile: string | undefined;
  /** Absolute paths, with `*` in the last part. */
  readonly actorFiles: readonly string[];
  /** Where a command of the operator's finds the node. */
  readonly url: string;
  readonly logDriver: 'journal' | 'redis';
  /** Of the log; set when the driver is redis. Holds a password. */
  readonly redisUrl: string | undefined;
  readonly role: 'all' | 'gateway' | 'worker';
  readonly durability: 'commit' | 'memory' | 'replicated';
  readonly partitions: number;
  readonly journal: { readonly bytesMax: number; readonly segmentBytes: number };
  readonly threads: PoolSize;
  /** 0: never. */
  readonly answersFirstMs: number;
  readonly retry: { readonly attemptsMax: number; readonly delayMs: number; readonly delayMsMax: number };
  readonly drainNoticeMs: number;
  readonly drainMsMax: number;
  readonly chargebackBlacklistCodes: readonly string[];
  /** What IBANs are sealed with; undefined: they are written as they are. Holds secrets. */
  readonly ibanKeys: string | undefined;
  /** Per worker thread. */
  readonly idempotencyEntriesMax: number;
  /** CIDRs. */
  readonly trustedProxies: readonly string[];
  readonly archive: {
    /** Undefined: bodies stay in Postgres. */
    readonly afterMs: number | undefined;
    /** 0: for ever. */
    readonly keepDays: number;
  };
  /** 0: for ever. */
  readonly auditKeepDays: number;
  readonly uploads: {
    /** Undefined: a folder under the data directory. Holds a secret. */
    readonly s3Url: string | undefined;
    /** Undefined: as the bucket is set up. */
    readonly s3Encryption: string | undefined;
    readonly textBytesMax: number;
    readonly xlsxBytesMax: number;
    readonly activeMax: number;
    readonly expiryMs: number;
    readonly threads: PoolSize;
  };
  readonly proxyProtocol: boolean;
  readonly connectionsMax: number;
  /** Undefined: plain HTTP. */
  readonly tls: TlsFiles | undefined;
  readonly logLevel: LogLevel;
}

/** @throws ConfigError naming every key that is wrong or unknown */
function parseSettings(env: Environment, overrides: Overrides = new Map()): Settings {
  const { settings, problems } = readSettings(env, overrides);
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

/** As far as it can be read: for a value that is refused stands the default. */
function readSettings(env: Environment, overrides: Overrides) {
  const secrets = readSecretFiles(env);
  const problems = [...unknownKeys(secrets.env), ...secrets.problems];
  const refused = new Set(secrets.refused);
  const values: Partial<Record<ConfigKey, unknown>> = {};
  for (const key of CONFIG_KEY_NAMES) {
    const declaration = CONFIG_KEYS[key];
    const override = overrides.get(key);
    const given = override?.value ?? secrets.env[key];
    const text = given === undefined || (given === '' && !declaration.list) ? declaration.default : given;
    if (text === undefined) continue;
    const parsed = declaration.schema.safeParse(text);
    if (parsed.success) values[key] = parsed.data;
    else {
      const name = secrets.files.has(key) ? fileKeyOf(key) : key;
      problems.push(refusal(key, text, override === undefined ? name : `${override.option} (${key})`));
      refused.add(key);
    }
  }
  // Each value came out of its own key's schema, which is what ConfigValues says of it.
  problems.push(...rulesBetween(values as Partial<ConfigValues>));
  for (const key of refused) {
    const { default: standard, schema } = CONFIG_KEYS[key];
    if (standard !== undefined) values[key] = schema.parse(standard);
  }
  return { settings: settle(values as ConfigValues), problems, refused, secrets };
}

/** Names instead of keys. */
function settle(values: ConfigValues): Settings {
  const get = <Key extends ConfigKey>(key: Key): NonNullable<ConfigValues[Key]> => {
    const value = values[key];
    if (value === undefined || value === null) throw new TypeError(`${key} has no default`);
    return value;
  };
  const logDriver = logDriverOf(values);
  const host = get('TETHER_HOST');
  const port = get('TETHER_PORT');
  const endpointsFile = values.TETHER_ENDPOINTS;
  const { TETHER_TLS_CERT_FILE: certFile, TETHER_TLS_KEY_FILE: keyFile } = values;
  const tls =
    certFile === undefined || keyFile === undefined
      ? undefined
      : Object.freeze({ certFile: resolve(certFile), keyFile: resolve(keyFile) });
  return Object.freeze({
    port,
    host,
    dataDir: resolve(get('TETHER_DATA_DIR')),
    databaseUrl: values.TETHER_DATABASE_URL,
    apiToken: values.TETHER_API_TOKEN,
    endpointsFile: endpointsFile === undefined ? undefined : resolve(endpointsFile),
    actorFiles: Object.freeze(get('TETHER_ACTORS').map((path) => resolve(path))),
    url: values.TETHER_URL === undefined ? localUrl(host, port, tls) : new URL(values.TETHER_URL).origin,
    logDriver,
    redisUrl: logDriver === 'redis' ? values.TETHER_REDIS_URL : undefined,
    role: get('TETHER_ROLE'),
    durability: get('TETHER_DURABILITY'),
    partitions: get('TETHER_PARTITIONS'),
    journal: Object.freeze({
      bytesMax: get('TETHER_JOURNAL_BYTES_MAX'),
      segmentBytes: get('TETHER_JOURNAL_SEGMENT_BYTES'),
    }),
    threads: get('TETHER_THREADS'),
    answersFirstMs: get('TETHER_ANSWERS_FIRST_MS'),
    retry: Object.freeze({
      attemptsMax: get('TETHER_RETRY_ATTEMPTS_MAX'),
      delayMs: get('TETHER_RETRY_DELAY_MS'),
      delayMsMax: get('TETHER_RETRY_DELAY_MS_MAX'),
    }),
    drainNoticeMs: get('TETHER_DRAIN_NOTICE_MS'),
    drainMsMax: get('TETHER_DRAIN_MS_MAX'),
    chargebackBlacklistCodes: get('TETHER_CHARGEBACK_BLACKLIST_CODES'),
    ibanKeys: values.TETHER_IBAN_KEYS,
    idempotencyEntriesMax: get('TETHER_IDEMPOTENCY_ENTRIES_MAX'),
    trustedProxies: get('TETHER_TRUSTED_PROXIES'),
    archive: Object.freeze({
      afterMs: values.TETHER_ARCHIVE_AFTER_MS,
      keepDays: get('TETHER_ARCHIVE_KEEP_DAYS'),
    }),
    auditKeepDays: get('TETHER_AUDIT_KEEP_DAYS'),
    uploads: Object.freeze({
      s3Url: values.TETHER_S3_URL,
      s3Encryption: values.TETHER_S3_SSE === 'none' ? undefined : values.TETHER_S3_SSE,
      textBytesMax: get('TETHER_UPLOAD_BYTES_MAX'),
      xlsxBytesMax: get('TETHER_UPLOAD_XLSX_BYTES_MAX'),
      activeMax: get('TETHER_UPLOAD_ACTIVE_MAX'),
      expiryMs: get('TETHER_UPLOAD_EXPIRY_MS'),
      threads: get('TETHER_UPLOAD_THREADS'),
    }),
    proxyProtocol: get('TETHER_PROXY_PROTOCOL') === 'on',
    connectionsMax: get('TETHER_CONNECTIONS_MAX'),
    tls,
    logLevel: get('TETHER_LOG_LEVEL'),
  });
}

function localUrl(host: string, port: number, tls: TlsFiles | undefined): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${tls === undefined ? 'http' : 'https'}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

export {
  type Environment,
  type LogLevel,
  type Mode,
  type Overrides,
  parseSettings,
  readSettings,
  type Settings,
};
