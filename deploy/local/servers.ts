/** The servers behind the nodes, each as the program that runs it: Redis, pgBouncer, the S3 server. */
import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { findProgram } from '../../storage/find-program.js';
import { makeDirectory } from '../../storage/make-directory.js';
import { prepareSwift } from '../../storage/objects/swift.js';
import { preparePgBouncer } from '../../storage/postgres/pgbouncer.js';
import { freePort } from '../../storage/test-free-port.js';
import type { Place } from './place.js';
import { Supervised } from './supervised.js';

interface Server {
  readonly parts: readonly Supervised[];
  /** For the nodes. A secret is inside: never for a log. */
  readonly url: string;
}

const STOP_MS_MAX = 15_000;
const S3_BUCKET = 'tether';
/** The embedded Postgres takes 50; the rest is for people. */
const DATABASE_CONNECTIONS = 30;

/** Redis as the log wants it: every write in the append-only file, nothing ever evicted, and an end to its memory. */
export async function redisServer(place: Place): Promise<Server> {
  const [port, password] = [await freePort(), await place.secret('redis-password')];
  const directory = place.path('redis');
  await makeDirectory(directory, 0o700);
  const file = join(directory, 'redis.conf');
  await writeFile(
    file,
    `bind 127.0.0.1
port ${port}
requirepass ${password}
dir "${directory}"
# Synced once a second: a crash of the machine may lose the last second, a crash of Redis nothing. "always" loses nothing, and is slower.
appendonly yes
appendfsync everysec
save ""
# What is acknowledged is never evicted; when this is used up, senders get 503.
maxmemory-policy noeviction
maxmemory 1gb
`,
    { mode: 0o600 },
  );
  const part = new Supervised({
    ...place.program('redis'),
    command: [findProgram('redis-server') ?? 'redis-server', file],
    env: process.env,
    address: `127.0.0.1:${port}`,
    stopSignal: 'SIGTERM',
    stopMsMax: STOP_MS_MAX,
    isUp: () => isListening(port),
  });
  return { parts: [part], url: `redis://:${password}@127.0.0.1:${port}` };
}

export async function pgbouncerServer(place: Place, databaseUrl: string): Promise<Server> {
  const port = await freePort();
  const { command, url } = await preparePgBouncer({
    directory: place.path('pgbouncer'),
    port,
    databaseUrl,
    serverConnectionsMax: DATABASE_CONNECTIONS,
    clientConnectionsMax: 1_000,
    waitSecondsMax: 10,
  });
  const part = new Supervised({
    ...place.program('pgbouncer'),
    command,
    env: process.env,
    address: `127.0.0.1:${port}`,
    stopSignal: 'SIGTERM',
    stopMsMax: STOP_MS_MAX,
    isUp: () => isListening(port),
  });
  return { parts: [part], url };
}

export async function s3Server(place: Place): Promise<Server> {
  const directory = place.path('s3');
  await makeDirectory(directory, 0o700);
  const { programs, url } = await prepareSwift({
    directory,
    ports: {
      proxy: await freePort(),
      account: await freePort(),
      container: await freePort(),
      object: await freePort(),
      cache: await freePort(),
    },
    secretKey: await place.secret('s3-secret-key'),
  });
  const parts = programs.map(
    ({ name, port, command, isUp }) =>
      new Supervised({
        ...place.program(name === 'proxy' ? 's3' : `s3-${name}`),
        command,
        env: process.env,
        address: `127.0.0.1:${port}`,
        stopSignal: 'SIGTERM',
        stopMsMax: STOP_MS_MAX,
        isUp,
      }),
  );
  return { parts, url: url(S3_BUCKET) };
}

/** Whether somebody takes connections. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
