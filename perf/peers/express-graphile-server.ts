/**
 * The edge of the peer Express and graphile-worker: `add_job` commits the job in Postgres before the answer, with `synchronous_commit` on.
 *
 * Settings: after graphile-worker's documentation, whoever adds many jobs keeps the tools of `makeWorkerUtils`, with their pool, where
 * `quickAddJob` opens one for a single job; after Express's page on performance, the production environment, and neither ETags nor the header
 * that names Express, which the answer to a webhook does not need.
 *
 * Arguments: Postgres URL, API password.
 */
import { once } from 'node:events';
import express from 'express';
import { makeWorkerUtils } from 'graphile-worker';
import { failuresOnly, GRAPHILE_TASK, type GraphileJob } from './graphile-job.js';
import { echoOf, verifiedId } from './notification.js';
import { ready } from './program.js';

const [databaseUrl = '', password = ''] = process.argv.slice(2);
const utils = await makeWorkerUtils({ connectionString: databaseUrl, logger: failuresOnly() });
await utils.migrate();
const app = express();
app.set('env', 'production').disable('etag').disable('x-powered-by');
app.use(express.text({ type: 'application/x-www-form-urlencoded' }));
app.post('/webhooks/:endpoint/:token', async (request, response) => {
  const body = request.body as string;
  const id = verifiedId(body, password);
  if (id === undefined) {
    response.sendStatus(401);
    return;
  }
  await utils.addJob(GRAPHILE_TASK, { body, receivedAtMs: Date.now() } satisfies GraphileJob);
  response.type('application/xml').send(echoOf(id));
});
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('Express listens on no port');
ready({ port: address.port });
