/**
 * Puts one frame on each of one or more partitions: all of them, or, when Redis refuses the first write, none.
 *
 * KEYS  for each partition its state (hash) and its frames (stream), in turn; in a Cluster all of one slot
 * ARGV  for each partition the number of messages of the frame, and its body, in turn
 *
 * Returns for each partition the offset of the frame's first message, in their order.
 * Errors: OOM, when Redis is at its memory limit; nothing is written then.
 *
 * The entry's id is `<offset behind its last message>-0`: the entry that holds offset n is the first with an id above n, and
 * Redis itself refuses an entry that would go back.
 */
export const APPEND = `
local firsts = {}
for i = 1, #KEYS, 2 do
  local first = tonumber(redis.call('HGET', KEYS[i], 'end') or '0')
  local last = string.format('%.0f', first + tonumber(ARGV[i]))
  redis.call('XADD', KEYS[i + 1], last .. '-0', 'n', ARGV[i], 'b', ARGV[i + 1])
  redis.call('HSET', KEYS[i], 'end', last)
  firsts[#firsts + 1] = first
end
return firsts
`;
