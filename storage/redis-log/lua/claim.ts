/**
 * Raises the epoch of one partition, so that commits of every earlier owner are refused from now on, and says where its reader stands.
 *
 * KEYS  [1] the partition's state (hash)
 * ARGV  none
 *
 * Returns {epoch, committed, end}: the new owner's epoch, from 1; the offset below which everything is done; the offset behind the last message.
 *
 * Also at the memory limit: else nobody could read on what fills it. Needs Redis 7.
 */
export const CLAIM = `#!lua flags=allow-oom
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local offsets = redis.call('HMGET', KEYS[1], 'committed', 'end')
return {epoch, tonumber(offsets[1] or '0'), tonumber(offsets[2] or '0')}
`;
