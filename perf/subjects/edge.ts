/**
 * Gateway and journal alone. A reader that commits at once stands in for the actors, so that what is measured is the durable
 * acknowledgement and not what shares the two cores with it; `node.ts` is the whole.
 *
 * Arguments: directory of the journal.
 */
import { silentLogger } from '../../runtime/logger.js';
import { openJournal } from '../../storage/journal/index.js';
import { startGatewayOf } from './gateway.js';

const [directory = ''] = process.argv.slice(2);
const journal = await openJournal({ directory, logger: silentLogger });
for (const partition of journal.open('payment')) partition.onAppended = () => partition.commit(partition.end);
const gateway = await startGatewayOf(journal);
process.send?.({ port: gateway.port });
process.on('message', () => process.send?.(journal.stats()));
process.on('SIGTERM', async () => {
  gateway.close();
  await journal.close();
  process.exit(0);
});
