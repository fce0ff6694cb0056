/**
 * Gives a lease back, and says so to those who wait for it.
 *
 * KEYS  [1] the lease (string: its holder)
 * ARGV  [1] who asks, [2] the channel, [3] what to say there
 *
 * Returns 1: given back. 0: it ran out, or another holds it; nothing is said.
 */
export const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
`;
