/** The nodes of the cluster: `tether start`, each with a role, and all with the same servers. */
import { createHash } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../storage/test-free-port.js';
import { ConfigError } from '../errors.js';
import type { Environment } from '../settings.js';
import type { Place } from './place.js';
import { Supervised } from './supervised.js';

type Role = 'gateway' | 'worker';

interface NodeServers {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly s3Url: string;
}

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
/** What the cluster sets itself. The other keys of its environment go to every node. */
const OWN_KEYS = [
  'TETHER_DATABASE_URL',
  'TETHER_REDIS_URL',
  'TETHER_ENDPOINTS',
  'TETHER_API_TOKEN',
  'TETHER_IBAN_KEYS',
  'TETHER_LOG_DRIVER',
  'TETHER_ROLE',
  'TETHER_HOST',
  'TETHER_TRUSTED_PROXIES',
  'TETHER_PROXY_PROTOCOL',
];
const DRAIN_MS_MAX = 30_000;
/** HAProxy here looks twice a second, and once more out of turn. */
const DRAIN_NOTICE_MS = 1_000;
/** Beyond the drain: the end of threads and connections. */
const END_MS_MAX = 15_000;
const HEALTH_MS_MAX = 2_000;

/** @throws ConfigError when a key is set that could only be ignored */
export function refuseOwnKeys(env: Environment): void {
  const set = OWN_KEYS.filter((key) => (env[key] ?? '') !== '');
  if (set.length > 0) {
    throw new ConfigError(
      set.map((key) => `${key} is set, and the cluster sets it itself: unset it, or use tether start`),
    );
  }
}

/** One endpoint, `emp`, with a token and a password of this cluster's own: `tether start` refuses those that are published. */
export async function writeEndpoints(place: Place): Promise<void> {
  await place.secret('emp-token');
  await place.secret('emp-password');
  const reference = (name: string) => JSON.stringify(`file:${place.path(name)}`);
  await writeFile(
    place.path('endpoints.yaml'),
    `endpoints:
  - name: emp
    provider: emp
    token: ${reference('emp-token')}
    secrets: [${reference('emp-password')}]
`,
  );
}

/** A node of the cluster, and what it is given. */
export interface LocalNode {
  readonly part: Supervised;
  readonly settings: Readonly<Record<string, string>>;
}

export async function node(
  place: Place,
  role: Role,
  name: string,
  servers: NodeServers,
  env: Environment,
): Promise<LocalNode> {
  const port = await freePort();
  const inMs = (key: string, otherwise: number) => {
    const set = Number(env[key] ?? otherwise);
    return Number.isFinite(set) ? set : otherwise;
  };
  const settings = {
    TETHER_DRAIN_NOTICE_MS: env.TETHER_DRAIN_NOTICE_MS ?? `${DRAIN_NOTICE_MS}`,
    TETHER_ROLE: role,
    TETHER_HOST: '127.0.0.1',
    TETHER_PORT: `${port}`,
    TETHER_DATA_DIR: place.path('nodes', name),
    TETHER_LOG_DRIVER: 'redis',
    TETHER_REDIS_URL: servers.redisUrl,
    TETHER_DATABASE_URL: servers.databaseUrl,
    TETHER_S3_URL: servers.s3Url,
    TETHER_ENDPOINTS: place.path('endpoints.yaml'),
    TETHER_API_TOKEN: await place.secret('api-token'),
    TETHER_IBAN_KEYS: `local:${createHash('sha256')
      .update(await place.secret('iban-key'))
      .digest('base64')}`,
    // HAProxy's own address, and who else connects from this machine.
    TETHER_TRUSTED_PROXIES: '127.0.0.1/32',
  };
  const part = new Supervised({
    ...place.program(name),
    command: [process.execPath, '--enable-source-maps', CLI, 'start'],
    env: { ...env, ...settings },
    address: `127.0.0.1:${port}`,
    stopSignal: 'SIGTERM',
    stopMsMax:
      inMs('TETHER_DRAIN_NOTICE_MS', DRAIN_NOTICE_MS) +
      inMs('TETHER_DRAIN_MS_MAX', DRAIN_MS_MAX) +
      END_MS_MAX,
    isUp: () => answersOk(port, '/readyz'),
  });
  return { part, settings };
}

/** What a node is given, as a file that Node reads (`--env-file`), for the doctor and `tether golive`. */
export async function writeSettings(file: string, settings: LocalNode['settings']): Promise<void> {
  const lines = Object.entries(settings).map(([key, value]) => `${key}="${value}"\n`);
  await writeFile(file, lines.join(''), { mode: 0o600 });
  // One that was there keeps its own.
  await chmod(file, 0o600);
}

/** Whether a GET is answered with 200. */
export function answersOk(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path, agent: false, timeout: HEALTH_MS_MAX };
    const request = http.get(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
