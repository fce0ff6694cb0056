/** The keys that all nodes know, where there is a Redis; a thread without one loads no client of it. */
import { systemClock } from '../../runtime/clock.js';
import { parseRedisUrl } from '../redis/url.js';
import type { RecentKeys, RecentKeysOptions } from './recent-keys.js';

/** For Redis to say which messages are known; after that Postgres is asked. */
const REPLY_MS_MAX = 80;

/** @param redisUrl undefined: there is none, and of keys nothing is known but in this thread */
export async function openRecentKeys(
  redisUrl: string | undefined,
  options: Pick<RecentKeysOptions, 'prefix' | 'entriesMax' | 'logger'>,
): Promise<RecentKeys | undefined> {
  const place = redisUrl === undefined ? undefined : parseRedisUrl(redisUrl);
  if (place === undefined) return undefined;
  const { RecentKeys } = await import('./recent-keys.js');
  return new RecentKeys({ ...options, place, replyMsMax: REPLY_MS_MAX, clock: systemClock });
}
