/** The child process of `killed.test.ts`: works on uploads until it is killed. Each of its lives goes on where the journal ends. */
import { startUploadSystem } from './system.js';

export interface KilledTask {
  readonly directory: string;
  readonly databaseUrl: string;
  readonly objects: string;
  readonly ids: readonly string[];
}

process.on('message', async ({ directory, databaseUrl, objects, ids }: KilledTask) => {
  const { tell } = await startUploadSystem(directory, {
    databaseUrl,
    objects: { driver: 'folder', directory: objects },
    batchRows: 1,
    sliceMs: 50,
  });
  for (const id of ids) await tell(id, 'process');
  process.send?.('told');
});
