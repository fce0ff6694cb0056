/** The message log of many nodes: Redis Streams. */
export { parseRedisUrl } from '../redis/client.js';
export { RedisLogError } from './errors.js';
export { openRedisLog } from './open.js';
export type { RedisLogOptions } from './options.js';
export type { RedisPartition } from './partition.js';
export type { RedisLog, RedisLogStats } from './redis-log.js';
