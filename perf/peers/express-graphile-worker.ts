/**
 * The worker of the peer Express and graphile-worker.
 *
 * Settings, after the page "Performance" of graphile-worker 0.17: a local queue of 500 jobs, fetched by one statement, and completions and
 * failures gathered without a delay and written by one statement; with these its authors measured ten times the rate of the defaults. Its own
 * pool is small: it listens, fetches, completes and fails, while the tasks have the pool that every peer's worker has.
 *
 * Arguments: Postgres URL.
 */
import { run } from 'graphile-worker';
import { JOBS_AT_ONCE, openEffect } from './effect.js';
import { failuresOnly, GRAPHILE_TASK, type GraphileJob } from './graphile-job.js';
import { ready } from './program.js';

const CONNECTIONS = 4;
const LOCAL_QUEUE = 500;

const [databaseUrl = ''] = process.argv.slice(2);
const effect = await openEffect(databaseUrl);
const runner = await run({
  logger: failuresOnly(),
  noHandleSignals: true,
  parsedCronItems: [],
  taskList: {
    [GRAPHILE_TASK]: async (payload) => {
      const { body, receivedAtMs } = payload as GraphileJob;
      await effect.apply(body, receivedAtMs);
    },
  },
  preset: {
    worker: {
      connectionString: databaseUrl,
      maxPoolSize: CONNECTIONS,
      concurrentJobs: JOBS_AT_ONCE,
      localQueue: { size: LOCAL_QUEUE },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
});
ready({}, async () => {
  await runner.stop();
  await effect.close();
});
