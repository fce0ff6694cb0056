/**
 * Writes down how far the reader of one partition has come, and removes what is done.
 *
 * KEYS  [1] the partition's state (hash), [2] its frames (stream)
 * ARGV  [1] the reader's epoch, 0 when it never claimed the partition; [2] the offset below which everything is done
 *
 * Returns 1: written, or written further already. 0: the partition has another owner, whose epoch is not the one given; nothing is written.
 * -1: the offset is behind the end; nothing is written.
 *
 * Frames are removed by id, never by number: what is above the offset stays whatever happens. While messages are left Redis may keep some
 * of those that are done, which costs less than to cut its nodes of entries.
 *
 * Also at the memory limit: this is what makes room. Needs Redis 7.
 */
export const COMMIT = `#!lua flags=allow-oom
local state = redis.call('HMGET', KEYS[1], 'epoch', 'committed', 'end')
if (state[1] or '0') ~= ARGV[1] then return 0 end
local offset, last = tonumber(ARGV[2]), tonumber(state[3] or '0')
if offset > last then return -1 end
if offset <= tonumber(state[2] or '0') then return 1 end
redis.call('HSET', KEYS[1], 'committed', ARGV[2])
local min = string.format('%.0f', offset + 1)
if offset == last then redis.call('XTRIM', KEYS[2], 'MINID', '=', min)
else redis.call('XTRIM', KEYS[2], 'MINID', '~', min) end
return 1
`;
