/**
 * Gateway and journal alone. A reader that commits at once stands in for the actors, so that what is measured is the durable
 * acknowledgement and not what shares the two cores with it; `node.ts` is the whole.
 *
 * Arguments: directory of the journal.
 */
import { DEFAULT_ENDPOINT } from '../../deploy/endpoint.js';
import { GatewayMetrics, startGateway } from '../../gateway/index.js';
import { silentLogger } from '../../runtime/logger.js';
import { openJournal } from '../../storage/journal/index.js';

const [directory = ''] = process.argv.slice(2);
const journal = await openJournal({ directory, logger: silentLogger });
for (const partition of journal.open('payment')) partition.onAppended = () => partition.commit(partition.end);
const gateway = await startGateway({
  host: '127.0.0.1',
  port: 0,
  endpoints: [DEFAULT_ENDPOINT],
  partitions: (actor) => journal.open(actor),
  readiness: () => ({ ready: true, checks: {} }),
  trustedProxies: [],
  proxyProtocol: false,
  metrics: new GatewayMetrics(),
  logger: silentLogger,
  now: Date.now,
});
process.send?.({ port: gateway.port });
process.on('message', () => process.send?.(journal.stats()));
process.on('SIGTERM', async () => {
  gateway.close();
  await journal.close();
  process.exit(0);
});
