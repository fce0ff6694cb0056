/** A real journal and a real folder in one directory, and the options with which an actor system stands on them. */
import { join } from 'node:path';
import type { StoreModule } from '../../runtime/store-module.js';
import { openFolder } from '../../storage/folder/index.js';
import { openJournal } from '../../storage/journal/index.js';

export async function openStores(directory: string) {
  const log = await openJournal({
    directory: join(directory, 'journal'),
    partitions: 8,
    segmentBytes: 4_194_304,
  });
  const folder = await openFolder({ directory: join(directory, 'folder') });
  const snapshots: StoreModule = {
    module: new URL('../../storage/folder/snapshots-module.js', import.meta.url).href,
    settings: { directory: join(directory, 'folder') },
  };
  const options = { log, snapshots, reminders: folder.reminders, deadLetters: folder.deadLetters };
  return {
    log,
    folder,
    options,
    async close() {
      await log.close();
      await folder.close();
    },
  };
}
