/** A node's connections to Redis, beside those of its log. */
import { asError } from '../../runtime/failure.js';
import type { Logger } from '../../runtime/logger.js';
import { createClient, type Patience, type RedisClient } from '../../storage/redis/client.js';
import { parseRedisUrl } from '../../storage/redis/url.js';

/** A reply that takes longer is as good as lost: by then a lease is to be renewed, a share asked for again. */
const REPLY_MS_MAX = 500;

/** @param redisUrl one that the configuration has let pass */
export function openRedisClient(
  redisUrl: string,
  { name, patience, logger }: { readonly name: string; readonly patience: Patience; readonly logger: Logger },
): RedisClient {
  const place = parseRedisUrl(redisUrl);
  if (place === undefined) throw new RangeError('the URL of Redis is none');
  const client = createClient(place, { name, patience, replyMsMax: REPLY_MS_MAX });
  client.on('error', (error: unknown) => {
    logger.debug({ name, reason: asError(error).message }, 'a connection to Redis failed');
  });
  return client;
}
