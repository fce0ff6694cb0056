/** For `killed.test.ts`: a process that forwards until it is killed. */
import { startForwardSystem, targetTo } from './system.js';

export interface KilledTask {
  readonly directory: string;
  readonly databaseUrl: string;
  readonly url: string;
  /** To send, each key and body. */
  readonly messages: readonly (readonly [string, string])[];
}

process.once('message', async ({ directory, databaseUrl, url, messages }: KilledTask) => {
  const { forward } = await startForwardSystem(directory, databaseUrl, [targetTo(url)]);
  for (const [key, body] of messages) await forward('shop', key, body);
  process.send?.('sent');
});
process.once('disconnect', () => process.exit());
