/** What this node has of the limits that hold over all nodes: the store in Redis, with a connection of its own. */
import { randomUUID } from 'node:crypto';
import type { ShareStore } from '../../runtime/index.js';
import type { Logger } from '../../runtime/logger.js';
import { RedisShares } from '../../storage/redis-limits/redis-shares.js';
import { openRedisClient } from './redis-client.js';

export interface NodeShares {
  readonly store: ShareStore;
  close(): void;
}

export function openNodeShares(redisUrl: string, prefix: string, logger: Logger): NodeShares {
  const client = openRedisClient(redisUrl, { name: 'tether-limits', patience: 'fails-fast', logger });
  return {
    store: new RedisShares({ client, prefix, holder: randomUUID() }),
    close: () => client.disconnect(),
  };
}
