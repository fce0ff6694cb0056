/**
 * The edge of the peer Fastify and pg-boss: `send` commits the job in Postgres before the answer, with `synchronous_commit` on.
 *
 * Settings, after pg-boss's documentation (10): an instance that only sends runs neither maintenance nor the clock of cron; the default of ten
 * connections. `insert` writes many jobs in one statement, but is for callers that have them together: requests come one by one.
 *
 * Arguments: Postgres URL, API password.
 */
import PgBoss from 'pg-boss';
import { serveByFastify } from './fastify-webhooks.js';
import { PG_BOSS_QUEUE } from './pg-boss-queue.js';
import { ready } from './program.js';

const [databaseUrl = '', password = ''] = process.argv.slice(2);
const boss = new PgBoss({ connectionString: databaseUrl, supervise: false, schedule: false });
boss.on('error', (error) => console.error(error));
await boss.start();
await boss.createQueue(PG_BOSS_QUEUE);
const port = await serveByFastify(password, (body) =>
  boss.send(PG_BOSS_QUEUE, { body, receivedAtMs: Date.now() }),
);
ready({ port });
