/**
 * Removes what a node said of itself, unless it has said something since.
 *
 * KEYS  [1] the nodes (hash)
 * ARGV  [1] the node, [2] what it said last
 *
 * Returns 1: removed. 0: it is not there, or has said something else.
 */
export const FORGET = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
`;
