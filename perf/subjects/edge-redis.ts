/**
 * Gateway and log in Redis alone: nobody reads, as nobody does in the peer that it stands beside (`peers/fastify-bullmq-server.ts`).
 *
 * Arguments: Redis port.
 */

import { openRedisLog } from '../../storage/redis-log/open.js';
import { endWithParent } from '../harness/end-with-parent.js';
import { startGatewayOf } from './gateway.js';

const [redisPort] = process.argv.slice(2);
const log = await openRedisLog({ url: `redis://127.0.0.1:${redisPort}` });
const gateway = await startGatewayOf(log);
process.send?.({ port: gateway.port });
process.on('message', () => process.send?.(log.stats()));
endWithParent();
process.on('SIGTERM', async () => {
  gateway.close();
  await log.close();
  process.exit(0);
});
