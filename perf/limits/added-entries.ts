/**
 * The limit of a log in Redis: `XADD` alone, pipelined over one connection by ioredis.
 *
 * Two pipelines take turns, each of half the depth, so that the server has one to work on while the answers to the other are read. The client
 * shares the machine: where it is what is busy, the figure says what Node can send, which is a limit of the peers as well.
 */
import { Redis } from 'ioredis';

interface EntriesLimit {
  /** Of a server of `peers/redis.ts`, whose `appendfsync` decides what the figure means. */
  readonly port: number;
  readonly entries: number;
  readonly payloadBytes: number;
  /** Commands under way; even, at least 2. */
  readonly depth: number;
}

const STREAM = 'bare-xadd';
const COMMAND_MS_MAX = 60_000;

/** Entries a second, all of them answered. The stream is removed. */
async function addedEntriesPerSecond({ port, entries, payloadBytes, depth }: EntriesLimit): Promise<number> {
  if (depth < 2 || depth % 2 !== 0) throw new RangeError(`a depth is even and at least 2, not ${depth}`);
  const redis = new Redis({ host: '127.0.0.1', port, commandTimeout: COMMAND_MS_MAX });
  try {
    await redis.del(STREAM);
    const payload = Buffer.alloc(payloadBytes, 'x');
    let left = entries;
    const lane = async () => {
      while (left > 0) {
        const size = Math.min(depth / 2, left);
        left -= size;
        const pipeline = redis.pipeline();
        for (let at = 0; at < size; at++) pipeline.xadd(STREAM, '*', 'p', payload);
        for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
      }
    };
    const startMs = performance.now();
    await Promise.all([lane(), lane()]);
    const seconds = (performance.now() - startMs) / 1_000;
    const length = await redis.xlen(STREAM);
    if (length !== entries) throw new Error(`${length} of ${entries} entries are on the stream`);
    await redis.unlink(STREAM);
    return entries / seconds;
  } finally {
    redis.disconnect();
  }
}

export { addedEntriesPerSecond, type EntriesLimit };
