/** What benchmarks ask of a Redis server beside their subjects: to be empty, and what is there. */
import type { Redis } from 'ioredis';

const REWRITE_MS_MAX = 60_000;
const LOOK_MS = 20;

/** Adds up the messages of every frame of one stream, some frames at a time. KEYS [1] the stream. Returns the sum. */
const COUNT = `
local sum, from = 0, '-'
while true do
  local entries = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 100)
  if #entries == 0 then return sum end
  for _, entry in ipairs(entries) do sum = sum + tonumber(entry[2][2]) end
  from = '(' .. entries[#entries][1]
end
`;

/** Removes everything, and waits until the append-only file is as small. */
export async function emptied(redis: Redis): Promise<void> {
  await redis.flushall();
  await redis.bgrewriteaof();
  const end = Date.now() + REWRITE_MS_MAX;
  while (/aof_rewrite_(in_progress|scheduled):1/.test(await redis.info('persistence'))) {
    if (Date.now() > end) throw new Error(`Redis has not written its file anew within ${REWRITE_MS_MAX} ms`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Messages on the streams of a log in Redis, read out of their frames: not what the log says of itself. */
export async function packedMessages(redis: Redis, pattern: string): Promise<number> {
  let sum = 0;
  for (const stream of await redis.keys(pattern)) sum += Number(await redis.eval(COUNT, 1, stream));
  return sum;
}
