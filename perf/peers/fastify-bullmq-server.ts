/**
 * The edge of the peer Fastify and BullMQ: adds a job before it answers. How durable that is, Redis decides (`appendfsync` in `redis.ts`).
 *
 * Settings, after BullMQ's "Going to production": completed jobs are removed, else they fill Redis's memory; failed ones are kept for whoever
 * looks; a queue fails at once while Redis is away instead of collecting in memory what was to be durable. A job is tried again, as every
 * other peer's is. ioredis's automatic pipelines are not used: BullMQ does not advise them, and users reported lost locks with them.
 *
 * Arguments: Redis port, API password.
 */
import { Queue } from 'bullmq';
import { serveByFastify } from './fastify-webhooks.js';
import { ready } from './program.js';

const [redisPort, password = ''] = process.argv.slice(2);
const queue = new Queue('notifications', {
  connection: { host: '127.0.0.1', port: Number(redisPort), enableOfflineQueue: false },
  defaultJobOptions: {
    removeOnComplete: true,
    removeOnFail: false,
    attempts: 3,
    backoff: { type: 'exponential', delay: 1_000 },
  },
});
queue.on('error', (error) => console.error(error));
await queue.waitUntilReady();
const port = await serveByFastify(password, (body) => queue.add('notification', { body }));
ready({ port });
