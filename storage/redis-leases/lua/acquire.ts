/**
 * Takes a lease that nobody holds, or prolongs one's own.
 *
 * KEYS  [1] the lease (string: its holder)
 * ARGV  [1] who asks, [2] for how long, milliseconds
 *
 * Returns the holder: who asks, or another.
 *
 * Also at the memory limit: else nobody would read what fills it. Needs Redis 7.
 */
export const ACQUIRE = `#!lua flags=allow-oom
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
`;
