/**
 * The worker of the peer Fastify and pg-boss.
 *
 * Settings, after pg-boss's documentation (10): batches, which are fetched and completed by one statement each, instead of one job every two
 * seconds; the shortest interval of polling that is allowed, half a second; after a full batch `notifyWorker`, which skips that wait while there
 * is a backlog; no order by priority, which nobody gives. Each call of `work` is one loop: two of them, so that one fetches while the other's
 * jobs are under way. (`teamSize` and `teamConcurrency` were of versions before 10.) A batch of which one job fails is tried again as a whole,
 * which the effect allows.
 *
 * Arguments: Postgres URL.
 */
import PgBoss from 'pg-boss';
import { JOBS_AT_ONCE, openEffect } from './effect.js';
import { PG_BOSS_QUEUE, type PgBossJob } from './pg-boss-queue.js';
import { ready } from './program.js';

const LOOPS = 2;
const BATCH = JOBS_AT_ONCE / LOOPS;
/** Fetch and completion of each loop. */
const CONNECTIONS = 2 * LOOPS;

const [databaseUrl = ''] = process.argv.slice(2);
const effect = await openEffect(databaseUrl);
const boss = new PgBoss({ connectionString: databaseUrl, max: CONNECTIONS, schedule: false });
boss.on('error', (error) => console.error(error));
await boss.start();
await boss.createQueue(PG_BOSS_QUEUE);
const options = { batchSize: BATCH, pollingIntervalSeconds: 0.5, priority: false };
for (let loop = 0; loop < LOOPS; loop++) {
  const id: string = await boss.work<PgBossJob>(PG_BOSS_QUEUE, options, async (jobs) => {
    await Promise.all(jobs.map(({ data }) => effect.apply(data.body, data.receivedAtMs)));
    if (jobs.length === BATCH) boss.notifyWorker(id);
  });
}
ready({}, async () => {
  await boss.stop({ graceful: true, wait: true, timeout: 20_000 });
  await effect.close();
});
