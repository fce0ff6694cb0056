/**
 * Gateway and journal alone. A reader that commits at once stands in for the actors, so that what is measured is the durable
 * acknowledgement and not what shares the two cores with it; `node.ts` is the whole.
 *
 * Arguments: directory of the journal; other options of it as JSON, or nothing. Asked anything, it says its counts.
 */

import { silentLogger } from '../../runtime/logger.js';
import { openJournal } from '../../storage/journal/index.js';
import { endWithParent } from '../harness/end-with-parent.js';
import { startGatewayOf } from './gateway.js';

const [directory = '', options = '{}'] = process.argv.slice(2);
const journal = await openJournal({ ...JSON.parse(options), directory, logger: silentLogger });
for (const partition of journal.open('payment')) partition.onAppended = () => partition.commit(partition.end);
const gateway = await startGatewayOf(journal);
process.send?.({ port: gateway.port });
process.on('message', () => process.send?.(journal.stats()));
endWithParent();
process.on('SIGTERM', async () => {
  gateway.close();
  await journal.close();
  process.exit(0);
});
