/**
 * Prolongs a lease that is still held.
 *
 * KEYS  [1] the lease (string: its holder)
 * ARGV  [1] who asks, [2] for how long from now, milliseconds
 *
 * Returns 1: prolonged. 0: it ran out, or another holds it.
 */
export const RENEW = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;
