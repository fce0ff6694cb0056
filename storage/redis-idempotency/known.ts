/**
 * Looks for keys in two sets.
 *
 * KEYS  [1], [2] the two sets, in one slot of a Cluster
 * ARGV  [1] bytes of a member; [2] the members to look for, end to end
 *
 * Returns the positions, from 1, of those that are in either.
 *
 * A script, so that the answer is short: as a rule none is there, and two lists of zeros cost the client more to read than all the rest. One
 * string for all members, since each argument costs the client as much as its hash.
 */
export const KNOWN = `#!lua flags=no-writes
local width, all = tonumber(ARGV[1]), ARGV[2]
local found = {}
for first = 1, #all, width * 1000 do
  local members = {}
  for at = first, math.min(first + width * 1000, #all) - 1, width do
    members[#members + 1] = string.sub(all, at, at + width - 1)
  end
  local one = redis.call('SMISMEMBER', KEYS[1], unpack(members))
  local other = redis.call('SMISMEMBER', KEYS[2], unpack(members))
  for at = 1, #members do
    if one[at] + other[at] > 0 then found[#found + 1] = (first - 1) / width + at end
  end
end
return found
`;
