/** For `killed.test.ts`: a process that replays until it is killed. */
import { startReplaySystem } from './system.js';

export interface KilledTask {
  readonly directory: string;
  readonly databaseUrl: string;
}

process.once('message', async ({ directory, databaseUrl }: KilledTask) => {
  await startReplaySystem(directory, databaseUrl);
  process.send?.('started');
});
process.once('disconnect', () => process.exit());
