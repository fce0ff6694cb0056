/**
 * A Redis server (Debian's package redis-server) on a free port, with an append-only file and nothing evicted, as BullMQ's "Going to
 * production" wants it.
 *
 * That page finds a file synced every second good enough for most, and so do the benchmarks unless told otherwise; a second of acknowledged
 * jobs can be lost then. With `appendfsync: 'always'` Redis syncs what the commands of one round of its loop have written before it answers
 * them: only that is as durable as Tether.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { Redis } from 'ioredis';
import { freePort } from '../../storage/test-free-port.js';

export interface RedisServer {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** Default `everysec`. */
  readonly appendfsync?: 'everysec' | 'always';
}

export async function startRedis(
  directory: string,
  { appendfsync = 'everysec' }: RedisOptions = {},
): Promise<RedisServer> {
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const args = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    'yes',
  ];
  const child = spawn(
    'redis-server',
    [...args, '--appendfsync', appendfsync, '--maxmemory-policy', 'noeviction'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const failed = once(child, 'error').then(([cause]) => {
    throw new Error('redis-server does not start; it is in the Debian package redis-server', { cause });
  });
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: (times) => (times > 100 ? null : 50) });
  // Refused connections while the server starts; `ping` waits for the one that is taken.
  client.on('error', () => undefined);
  await Promise.race([client.ping(), failed]);
  client.disconnect();
  if (child.pid === undefined) throw new Error('redis-server has no pid');
  return {
    port,
    pid: child.pid,
    async stop() {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}
