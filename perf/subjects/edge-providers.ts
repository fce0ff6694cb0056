/**
 * `edge.ts` with an endpoint for each provider.
 *
 * Arguments: directory of the journal; the endpoints, as JSON.
 */

import type { Endpoint } from '../../gateway/index.js';
import { silentLogger } from '../../runtime/logger.js';
import { openJournal } from '../../storage/journal/index.js';
import { endWithParent } from '../harness/end-with-parent.js';
import { startGatewayOf } from './gateway.js';

const [directory = '', endpoints = '[]'] = process.argv.slice(2);
const journal = await openJournal({ directory, logger: silentLogger });
for (const actor of ['payment', 'webhook']) {
  for (const partition of journal.open(actor)) partition.onAppended = () => partition.commit(partition.end);
}
const gateway = await startGatewayOf(journal, JSON.parse(endpoints) as readonly Endpoint[]);
process.send?.({ port: gateway.port });
endWithParent();
process.on('SIGTERM', async () => {
  gateway.close();
  await journal.close();
  process.exit(0);
});
