/** What this node has of the limits that hold over all nodes: the store in Redis, with a connection of its own. */
import { randomUUID } from 'node:crypto';
import { asError } from '../../runtime/failure.js';
import type { ShareStore } from '../../runtime/index.js';
import type { Logger } from '../../runtime/logger.js';
import { createClient, parseRedisUrl } from '../../storage/redis/client.js';
import { RedisShares } from '../../storage/redis-limits/redis-shares.js';

const REPLY_MS_MAX = 500;

export interface NodeShares {
  readonly store: ShareStore;
  close(): void;
}

export function openNodeShares(redisUrl: string, prefix: string, logger: Logger): NodeShares {
  const place = parseRedisUrl(redisUrl);
  if (place === undefined) throw new RangeError('the URL of Redis is none');
  const client = createClient(place, {
    name: 'tether-limits',
    patience: 'fails-fast',
    replyMsMax: REPLY_MS_MAX,
  });
  client.on('error', (error: unknown) => {
    logger.debug({ reason: asError(error).message }, 'a connection to Redis failed');
  });
  return {
    store: new RedisShares({ client, prefix, holder: randomUUID() }),
    close: () => client.disconnect(),
  };
}
