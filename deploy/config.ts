/**
 * Configuration: the environment becomes one total, frozen `Config`, once, before anything starts.
 *
 * Every problem is reported at once, each with the key, what was given (never the value of a secret) and what is
 * allowed. A `TETHER_` key that does not exist is refused as well: a setting that is misspelt is worse than none.
 *
 * `parseConfig` decides alone, and reads nothing but files of secrets; `loadConfig` also reads the endpoints file and the API token.
 */
import { resolve } from 'node:path';
import type { FilledTarget } from '../actors/forward/target-settings.js';
import { ibanKeySecrets } from '../actors/ibans/index.js';
import type { PoolSize } from '../runtime/pool/pool-size.js';
import { parseRedisUrl } from '../storage/redis/client.js';
import { type ActorModule, ENDPOINT_TYPES, findActors } from './actor-modules.js';
import { readOrCreateApiToken } from './api-token.js';
import { CONFIG_KEY_NAMES, CONFIG_KEYS, type ConfigKey, type ConfigValues } from './config-keys.js';
import { refusal, unknownKeys } from './config-problems.js';
import { logBodyBytesMax, logDriverOf, rulesBetween } from './config-rules.js';
import { type ConfigKeyView, configView } from './config-view.js';
import { DEFAULT_ENDPOINT, type Endpoint, PUBLISHED_SECRET } from './endpoint.js';
import { EndpointReader } from './endpoints/reader.js';
import { secretsOfTarget } from './endpoints/target-entry.js';
import { ConfigError } from './errors.js';
import { fileKeyOf, readSecretFiles } from './secret-files.js';
import { lookAtTls, type TlsFiles } from './tls-files.js';

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

/** What a node is run by. */
interface Config extends Omit<Settings, 'apiToken' | 'actorFiles'> {
  readonly apiToken: string;
  /** Where the API token is kept, when it was not given; undefined when it was. */
  readonly apiTokenFile: string | undefined;
  /** As they stand in the file, or the one for trying out. */
  readonly endpoints: readonly Endpoint[];
  /** Of the same file. */
  readonly targets: readonly FilledTarget[];
  /** Reads endpoints as this node would serve them. */
  readonly endpointReader: EndpointReader;
  /** The user's own, beside Tether's. */
  readonly actors: readonly ActorModule[];
  /** Each key as it was given, for people; no secret stands in it. */
  readonly keys: readonly ConfigKeyView[];
  /** For the log at the start: what is allowed and yet worth a thought. */
  readonly warnings: readonly string[];
}

/** @throws ConfigError naming every key that is wrong or unknown */
function parseConfig(env: Environment, overrides: Overrides = new Map()): Settings {
  const { settings, problems } = readConfig(env, overrides);
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

/** As far as it can be read: for a value that is refused stands the default. */
function readConfig(env: Environment, overrides: Overrides) {
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

/** What the environment and the files that it names say, right or wrong. */
interface Examined {
  readonly settings: Settings;
  /** Keys whose value is refused; the default stands for it. */
  readonly refused: ReadonlySet<ConfigKey>;
  readonly endpoints: readonly Endpoint[];
  readonly targets: readonly FilledTarget[];
  readonly endpointReader: EndpointReader;
  readonly actors: readonly ActorModule[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** The environment, with what stands in files of secrets. */
  readonly resolvedEnv: Environment;
  /** Secret keys that a file was named for: absolute paths. */
  readonly secretFiles: ReadonlyMap<ConfigKey, string>;
}

/** Reads all of it, and writes nothing. */
async function examineConfig(
  env: Environment,
  mode: Mode,
  overrides: Overrides = new Map(),
): Promise<Examined> {
  const { settings, problems, refused, secrets } = readConfig(env, overrides);
  if (mode === 'start') problems.push(...missingInProduction(settings, refused));
  /** What `read` gives; undefined, and its problems noted, when it is refused. */
  const tried = async <T>(read: Promise<T>): Promise<T | undefined> => {
    try {
      return await read;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const actors = await tried(findActors(settings.actorFiles));
  const tls = settings.tls === undefined ? undefined : await lookAtTls(settings.tls, Date.now());
  problems.push(...(tls?.problems ?? []));
  const types = actors && [...ENDPOINT_TYPES, ...actors.map(({ type }) => type)];
  const bodyBytesMax = logBodyBytesMax(settings);
  const endpointReader = new EndpointReader(env, { mode, actors: types, bodyBytesMax });
  let targets: readonly FilledTarget[] = [];
  let endpoints: readonly Endpoint[] = settings.role === 'worker' ? [] : [DEFAULT_ENDPOINT];
  if (settings.endpointsFile !== undefined) {
    const read = await endpointReader.readFile(settings.endpointsFile);
    problems.push(...read.problems);
    ({ endpoints, targets } = read);
  }
  return {
    settings,
    refused,
    endpoints: Object.freeze([...endpoints]),
    targets,
    endpointReader,
    actors: actors ?? [],
    problems,
    warnings: Object.freeze([
      ...secrets.warnings,
      ...(tls?.warnings ?? []),
      ...warningsOf(settings, mode, endpoints),
    ]),
    resolvedEnv: secrets.env,
    secretFiles: secrets.files,
  };
}

/**
 * The configuration of a node. Writes at most one file: the API token of the embedded default, at its first start.
 * @throws ConfigError
 */
async function loadConfig(env: Environment, mode: Mode, overrides: Overrides = new Map()): Promise<Config> {
  const examined = await examineConfig(env, mode, overrides);
  const { settings, problems, endpoints, targets, endpointReader, actors, warnings } = examined;
  if (problems.length > 0) throw new ConfigError(problems);
  const { token, file } =
    settings.apiToken === undefined
      ? await readOrCreateApiToken(settings.dataDir)
      : { token: settings.apiToken, file: undefined };
  const read = { endpoints, targets, endpointReader, actors, warnings };
  const config = { ...settings, ...read, apiToken: token, apiTokenFile: file };
  return Object.freeze({ ...config, keys: configView(examined, overrides, secretsOf(config)) });
}

function warningsOf(settings: Settings, mode: Mode, endpoints: readonly Endpoint[]): string[] {
  const published = endpoints.filter((endpoint) => endpoint.secrets.includes(PUBLISHED_SECRET));
  const warnings: string[] = [];
  if (published.length > 0 && !['127.0.0.1', '::1', 'localhost'].includes(settings.host)) {
    warnings.push(
      `endpoint ${published.map(({ name }) => name).join(', ')} accepts a public password and TETHER_HOST is not this machine alone: anybody can send valid notifications`,
    );
  }
  if ((mode === 'start' || settings.logDriver === 'redis') && settings.uploads.s3Url === undefined) {
    warnings.push(
      'TETHER_S3_URL is not set: uploaded files and archived bodies are kept on this disk, where no other node finds them',
    );
  }
  if (settings.durability === 'memory') {
    warnings.push(
      `TETHER_DURABILITY is memory: a crash of ${settings.logDriver === 'redis' ? 'Redis' : 'this machine'} loses acknowledged messages`,
    );
  }
  return warnings;
}

function missingInProduction(settings: Settings, refused: ReadonlySet<ConfigKey>): string[] {
  const problems: string[] = [];
  const need = (key: ConfigKey, why: string) => {
    if (refused.has(key)) return;
    problems.push(`${key} is not set: \`tether start\` needs it (${why}); \`tether up\` does without`);
  };
  // A worker serves none.
  if (settings.endpointsFile === undefined && settings.role !== 'worker')
    need('TETHER_ENDPOINTS', 'the default endpoint has a public password');
  if (settings.databaseUrl === undefined) need('TETHER_DATABASE_URL', 'it runs no Postgres of its own');
  if (settings.apiToken === undefined) need('TETHER_API_TOKEN', 'it generates none');
  return problems;
}

/** The URL, and the secret key in both of the forms in which a message could show it. */
function secretsOfUrl(url: string | undefined): readonly string[] {
  if (url === undefined) return [];
  const { username, password, hostname, pathname } = new URL(url);
  // Whoever takes the name of the database for a password has none, and would find his log full of gaps.
  if ([username, hostname, pathname.slice(1)].includes(password)) return [url];
  return [url, password, decoded(password)];
}

/** As it is where a percent sign encodes nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function secretsOfRedis(url: string | undefined): readonly string[] {
  const password = url === undefined ? undefined : parseRedisUrl(url)?.password;
  return url === undefined || password === undefined ? [] : [url, password, encodeURIComponent(password)];
}

function secretsOfIbanKeys(keys: string | undefined): readonly string[] {
  return keys === undefined ? [] : [keys, ...ibanKeySecrets(keys).map(({ secret }) => secret)];
}

/** Every secret of `config`, for a logger to keep out of its lines. */
function secretsOf(config: Omit<Config, 'keys'>): readonly string[] {
  return [
    config.apiToken,
    ...secretsOfUrl(config.databaseUrl),
    ...secretsOfUrl(config.uploads.s3Url),
    ...secretsOfRedis(config.redisUrl),
    ...secretsOfIbanKeys(config.ibanKeys),
    ...config.endpoints.flatMap((endpoint) => [endpoint.token, ...endpoint.secrets]),
    ...config.targets.flatMap(secretsOfTarget),
  ];
}

export {
  type Config,
  type Environment,
  examineConfig,
  type LogLevel,
  loadConfig,
  type Mode,
  type Overrides,
  parseConfig,
  type Settings,
  secretsOf,
};
