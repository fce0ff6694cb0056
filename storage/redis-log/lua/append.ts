/**
 * Puts one frame on each of one or more partitions: all of them, or, when Redis refuses the first write, none. Then tells those who listen.
 *
 * KEYS  for each partition its state (hash) and its frames (stream), in turn; in a Cluster all of one slot
 * ARGV  [1] the channel of the log; for each partition the number of messages of the frame, and its body, in turn
 *
 * Returns for each partition the offset of the frame's first message, in their order.
 * Errors: OOM, when Redis is at its memory limit; nothing is written then.
 *
 * The entry's id is `<offset behind its last message>-0`: the entry that holds offset n is the first with an id above n, and
 * Redis itself refuses an entry that would go back.
 *
 * What is told is `<actor>/<n>:<end>` of each partition, separated by spaces; the name is what stands in braces in the key. Telling is part of
 * the script because a command of its own, one more write to a socket for each group, was a twelfth of what appends cost their sender.
 */
export const APPEND = `
local firsts, news = {}, {}
for i = 1, #KEYS, 2 do
  local first = tonumber(redis.call('HGET', KEYS[i], 'end') or '0')
  local last = string.format('%.0f', first + tonumber(ARGV[i + 1]))
  redis.call('XADD', KEYS[i + 1], last .. '-0', 'n', ARGV[i + 1], 'b', ARGV[i + 2])
  redis.call('HSET', KEYS[i], 'end', last)
  firsts[#firsts + 1] = first
  news[#news + 1] = string.match(KEYS[i], '{(.-)}') .. ':' .. last
end
redis.call('PUBLISH', ARGV[1], table.concat(news, ' '))
return firsts
`;
