/**
 * The journal of a side without a gateway: so many appends are under way all the time, and a reader commits at once. On a message `{ ms }` over IPC
 * it goes on for that long, and answers with the number of appends a second that were acknowledged.
 *
 * Arguments: URL of the side's compiled sources, its name, directory of the journal.
 */
import type { AppendWaiter, LogPartition } from '../../runtime/message-log.js';
import { load, type SideName } from './side.js';

const UNDER_WAY = 256;
const ENVELOPE_BYTES = 500;

const [dist = '', name = 'head', directory = ''] = process.argv.slice(2);
const { openJournal } = (await load(
  { name: name as SideName, dist },
  'storage/journal/index.js',
)) as typeof import('../../storage/journal/index.js');
const journal = await openJournal({ directory });
const partitions = journal.open('payment');
for (const partition of partitions) partition.onAppended = () => partition.commit(partition.end);

process.on('message', ({ ms }: { readonly ms: number }) => {
  measure(ms).then(
    (perSecond) => process.send?.({ perSecond }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.on('SIGTERM', async () => {
  await journal.close();
  process.exit(0);
});
process.send?.({});

async function measure(ms: number): Promise<number> {
  const envelope = Buffer.alloc(ENVELOPE_BYTES, 0x61);
  const start = performance.now();
  let appended = 0;
  let next = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const append = () => {
        const partition = partitions[next++ % partitions.length] as LogPartition;
        partition.append(envelope, waiter);
      };
      const waiter: AppendWaiter = {
        appended() {
          appended++;
          if (performance.now() - start >= ms) resolve();
          else append();
        },
        appendFailed: reject,
      };
      append();
    });
  await Promise.all(Array.from({ length: UNDER_WAY }, one));
  return appended / ((performance.now() - start) / 1_000);
}
