/**
 * What a Redis must be set to, so that it keeps what it has taken: it must not evict keys when its memory is full, and what is acknowledged
 * as durable must be in an append-only file.
 */
import type { Redis } from 'ioredis';
import { type RedisClient, serversOf } from '../redis/client.js';
import { RedisLogError } from './errors.js';

/** When Redis syncs its append-only file; `unknown` where a service does not tell. */
export type AofSync = 'always' | 'everysec' | 'no' | 'unknown';

export interface ServerSettings {
  /** What `maxmemory-policy` says. */
  readonly eviction: string;
  /** 0: no limit. */
  readonly maxBytes: number;
  /** Undefined: there is no append-only file. */
  readonly aof: AofSync | undefined;
}

/** Of each master. */
export function readServerSettings(client: RedisClient): Promise<readonly ServerSettings[]> {
  return Promise.all(serversOf(client).map(read));
}

/**
 * The weakest of them, which is what an acknowledgement is worth.
 * @param durable whether an append-only file is needed
 * @throws RedisLogError that names the setting
 */
export function checkServerSettings(all: readonly ServerSettings[], durable: boolean): AofSync | undefined {
  for (const { eviction, maxBytes, aof } of all) {
    if (maxBytes > 0 && eviction !== 'noeviction') {
      throw new RedisLogError(
        `Redis would remove messages when its memory is full: its maxmemory-policy is ${eviction}, needed is noeviction`,
      );
    }
    if (durable && aof === undefined) {
      throw new RedisLogError(
        'Redis keeps no append-only file, so a restart would lose acknowledged messages: needed is appendonly yes',
      );
    }
  }
  const order: readonly (AofSync | undefined)[] = [undefined, 'no', 'unknown', 'everysec', 'always'];
  return order.find((each) => all.some(({ aof }) => aof === each));
}

async function read(server: Redis): Promise<ServerSettings> {
  const info = await server.info();
  const value = (name: string) => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1];
  return {
    eviction: value('maxmemory_policy') ?? 'noeviction',
    maxBytes: Number(value('maxmemory') ?? 0),
    aof: value('aof_enabled') === '1' ? await readSync(server) : undefined,
  };
}

async function readSync(server: Redis): Promise<AofSync> {
  try {
    const [, sync] = (await server.config('GET', 'appendfsync')) as string[];
    return sync === 'always' || sync === 'everysec' || sync === 'no' ? sync : 'unknown';
  } catch (error) {
    // Services that run Redis for others refuse CONFIG.
    if (error instanceof Error && error.name === 'ReplyError') return 'unknown';
    throw error;
  }
}
