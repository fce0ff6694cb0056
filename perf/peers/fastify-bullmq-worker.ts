/**
 * The worker of the peer Fastify and BullMQ.
 *
 * Settings, after BullMQ's "Parallelism and concurrency": for jobs that wait for a database its documentation names 100 to 300 at once, because
 * one event loop serves them all. Priorities, limits of rate and events of progress, which cost round trips, are not used; at SIGTERM the worker
 * finishes its jobs, so that none stays locked.
 *
 * Arguments: Redis port, Postgres URL.
 */
import { Worker } from 'bullmq';
import { JOBS_AT_ONCE, openEffect } from './effect.js';
import { ready } from './program.js';

const [redisPort, databaseUrl = ''] = process.argv.slice(2);
const effect = await openEffect(databaseUrl);
const worker = new Worker<{ readonly body: string }>(
  'notifications',
  (job) => effect.apply(job.data.body, job.timestamp),
  { connection: { host: '127.0.0.1', port: Number(redisPort) }, concurrency: JOBS_AT_ONCE },
);
worker.on('error', (error) => console.error(error));
worker.on('failed', (_job, error) => console.error(error));
await worker.waitUntilReady();
ready({}, async () => {
  await worker.close();
  await effect.close();
});
