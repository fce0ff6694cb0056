/**
 * Renews a node's share of a quota, with what it holds and needs, and tells it what it may hold from now on.
 *
 * KEYS  [1] the quota (hash: see `redis-shares.ts`)
 * ARGV  [1] who asks, [2] the number of its question, higher each time, [3] for how long it holds what it gets, milliseconds, [4] units of
 *       the quota, [5] units that it holds, [6] units that it needs, or -1: it leaves, [7] tokens of units that it gave back, [8] in which an empty unit fills,
 *       milliseconds; 0: units hold nothing, [9] how long a turn lasts, milliseconds
 *
 * Returns {units, tokens (text), contended}: what it may hold, the tokens of those that are new, 1 when others wait for units, else 0.
 * Or {-1}: a later question of this holder was here already; nothing is changed.
 *
 * What a holder says that it holds is so: it may be more than it was given, when it comes back after its share has ended and calls are still
 * under way. Units are given only out of those that nobody holds.
 *
 * Who should have how many: first what each needs, but of more than there is all have the same (max-min); a quarter of the quota is for those
 * that need nothing, so that they can begin at once; what is left then is for all. Of units that do not come out even, and when there are
 * fewer units than nodes, one goes to each whose turn is not over, then to who has been without for the longest time.
 *
 * Also at the memory limit: work would stand still else. Needs Redis 7.
 */
export const ASK = `#!lua flags=allow-oom
local key, me, seq = KEYS[1], ARGV[1], tonumber(ARGV[2])
local ttl, units, held, needed = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local spare, fill, turn = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local holders, mine, credit, creditAt, out = {}, nil, nil, now, 0
local all = redis.call('HGETALL', key)
for at = 1, #all, 2 do
  local name, text = all[at], all[at + 1]
  if name == 'credit' then credit = tonumber(text)
  elseif name == 'creditAt' then creditAt = tonumber(text)
  else
    local s, ends, h, n, since, last = string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
    local holder = {name = name, seq = tonumber(s), ends = tonumber(ends), held = tonumber(h), needed = tonumber(n),
      since = tonumber(since), last = tonumber(last)}
    out = out + holder.held
    if name == 's:' .. me then mine = holder
    elseif holder.ends > now then holders[#holders + 1] = holder
    else redis.call('HDEL', key, name) end
  end
end
if mine and mine.seq >= seq then return {-1} end

-- Units that nobody held filled since the last time. A quota that was not asked for longer than that is full.
local free = math.max(0, units - out)
if credit == nil then credit = units
elseif fill > 0 then credit = math.min(free, credit + free * math.max(0, now - creditAt) / fill) end

if mine == nil or mine.ends <= now then mine = {name = 's:' .. me, held = 0, since = now, last = now} end
local before = mine.held
mine.seq, mine.ends, mine.held, mine.needed = seq, now + ttl, held, math.min(needed, units)
if held > 0 or before > 0 then mine.last = now end
if held > 0 and before == 0 then mine.since = now end
local leaves = needed < 0
if not leaves then holders[#holders + 1] = mine end
local others = 0
for _, holder in ipairs(holders) do
  if holder ~= mine then others = others + holder.held end
end

local floor = math.floor(units / (4 * #holders))
for _, holder in ipairs(holders) do
  holder.claim = math.max(holder.needed, floor)
  if holder.held == 0 then holder.rank = holder.needed > 0 and 1 or 0
  else holder.rank = now - holder.since < turn and 2 or 0 end
end
table.sort(holders, function (a, b)
  if a.claim ~= b.claim then return a.claim < b.claim end
  if a.rank ~= b.rank then return a.rank < b.rank end
  if a.rank == 1 and a.last ~= b.last then return a.last > b.last end
  if a.held ~= b.held then return a.held < b.held end
  return a.name < b.name
end)
local left = units
for at, holder in ipairs(holders) do
  holder.target = math.min(holder.claim, math.floor(left / (#holders - at + 1)))
  left = left - holder.target
end
for at, holder in ipairs(holders) do
  local more = math.floor(left / (#holders - at + 1))
  holder.target = holder.target + more
  left = left - more
end

free = math.max(0, units - others - held)
credit = math.min(free, credit + spare)
-- Others may hold what it lost while its calls went on.
local answer, tokens = math.min(mine.target or 0, math.max(0, units - others)), 0
if answer > held then
  local more = math.min(answer - held, free)
  answer = held + more
  if more > 0 then
    if held == 0 then mine.since = now end
    tokens = credit * more / free
    credit = credit - tokens
    mine.held, mine.last = answer, now
  end
end

local contended = 0
for _, holder in ipairs(holders) do
  if holder ~= mine and holder.target > holder.held then contended = 1 end
end
redis.call('HSET', key, 'credit', string.format('%.9f', credit), 'creditAt', string.format('%.0f', now))
if leaves then redis.call('HDEL', key, mine.name)
else
  redis.call('HSET', key, mine.name, string.format('%.0f %.0f %.0f %.0f %.0f %.0f', mine.seq, mine.ends, mine.held,
    mine.needed, mine.since, mine.last))
end
local latest = now
for _, holder in ipairs(holders) do latest = math.max(latest, holder.ends) end
-- By then all is full again, and nobody holds anything.
redis.call('PEXPIRE', key, string.format('%.0f', latest - now + math.min(fill, 1e15) + 1000))
return {answer, string.format('%.9f', tokens), contended}
`;
