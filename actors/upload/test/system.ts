/** For tests: the upload actor in a real system, on a journal and a folder in one directory. */
import { join } from 'node:path';
import { ActorSystem } from '../../../runtime/actor-system.js';
import { silentLogger } from '../../../runtime/logger.js';
import { openFolder } from '../../../storage/folder/index.js';
import { openJournal } from '../../../storage/journal/index.js';
import type { UploadMessage } from '../model.js';
import type { UploadSettings } from '../settings.js';

export async function startUploadSystem(directory: string, settings: UploadSettings, threads = 2) {
  const log = await openJournal({
    directory: join(directory, 'journal'),
    partitions: 8,
    segmentBytes: 4_194_304,
  });
  const folder = await openFolder({ directory: join(directory, 'folder') });
  const system = await ActorSystem.start({
    log,
    deadLetters: folder.deadLetters,
    actors: [{ module: new URL('../actor.js', import.meta.url), threads, settings }],
    retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 50 },
    logger: silentLogger,
    logLevel: 'error',
  });
  return {
    system,
    log,
    deadLetters: folder.deadLetters,
    tell: (id: string, type: UploadMessage['type']) =>
      system.ref<UploadMessage>('upload', id).tellDurably({ type }),
    async close() {
      await system.drain(10_000);
      await log.close();
      await folder.close();
    },
  };
}
