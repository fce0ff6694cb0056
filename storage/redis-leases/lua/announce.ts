/**
 * Says something of one node, and tells what all have said.
 *
 * KEYS  [1] the nodes (hash)
 * ARGV  [1] the node, [2] what it says
 *
 * Returns node, words, node, words, ...: itself included.
 *
 * Also at the memory limit, where all nodes would seem dead else. Needs Redis 7.
 */
export const ANNOUNCE = `#!lua flags=allow-oom
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return redis.call('HGETALL', KEYS[1])
`;
