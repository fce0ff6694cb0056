/**
 * Configuration: the environment becomes one total, frozen `Config`, once, before anything starts. Of the keys: `settings.ts`. Here is what is read
 * besides, the endpoints file, modules of actors, certificates and the API token; each problem is reported with those of the keys.
 */
import type { FilledTarget } from '../actors/forward/target-settings.js';
import { ibanKeySecrets } from '../actors/ibans/keys.js';
import { parseRedisUrl } from '../storage/redis/url.js';
import { type ActorModule, ENDPOINT_TYPES, findActors } from './actor-modules.js';
import { readOrCreateApiToken } from './api-token.js';
import type { ConfigKey } from './config-keys.js';
import { logBodyBytesMax } from './config-rules.js';
import { type ConfigKeyView, configView } from './config-view.js';
import { DEFAULT_ENDPOINT, type Endpoint, PUBLISHED_SECRET } from './endpoint.js';
import { EndpointReader } from './endpoints/reader.js';
import { secretsOfTarget } from './endpoints/target-entry.js';
import { ConfigError } from './errors.js';
import { type Environment, type Mode, type Overrides, readSettings, type Settings } from './settings.js';
import { lookAtTls } from './tls-files.js';

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
  const { settings, problems, refused, secrets } = readSettings(env, overrides);
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

export { type Config, examineConfig, loadConfig, secretsOf };
