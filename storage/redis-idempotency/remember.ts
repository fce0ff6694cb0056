/**
 * Adds keys to the younger of two sets, and begins the other one anew when that is old or full.
 *
 * KEYS  [1], [2] the two sets, in one slot of a Cluster
 * ARGV  [1] bytes of a member; [2] the members to add, end to end; [3] the most members of a set; [4] how long a set lives, milliseconds
 *
 * Returns nothing.
 * Errors: OOM, when Redis is at its memory limit; nothing is written then.
 *
 * A set takes members for half of its life, and then is only looked at: what time it is, Redis alone says. Needs Redis 7.
 */
export const REMEMBER = `#!lua
local width, all = tonumber(ARGV[1]), ARGV[2]
local most, life = tonumber(ARGV[3]), tonumber(ARGV[4])
local young, old = KEYS[1], KEYS[2]
local left, other = redis.call('PTTL', young), redis.call('PTTL', old)
if other > left then young, old, left = old, young, other end
if left * 2 < life or redis.call('SCARD', young) + #all / width > most then
  young = left < 0 and young or old
  redis.call('UNLINK', young)
end
for first = 1, #all, width * 1000 do
  local members = {}
  for at = first, math.min(first + width * 1000, #all) - 1, width do
    members[#members + 1] = string.sub(all, at, at + width - 1)
  end
  redis.call('SADD', young, unpack(members))
end
if redis.call('PTTL', young) < 0 then redis.call('PEXPIRE', young, life) end
`;
