/**
 * The child process of `killed.test.ts`: an actor system on a journal and a folder, that adds to a few keys by the log, one after the
 * other, and says what is acknowledged, until it is killed. Each of its lives goes on where the log ends.
 */
import type { Job, Tally } from '../../runtime/testing/actors/worker.js';
import { until } from '../../runtime/testing/until.js';
import { startWorkers } from '../../runtime/testing/workers.js';
import { openStores } from './stores.js';

export const KEEPER_KEYS = Array.from({ length: 6 }, (_, n) => `${n}`);
export const KEEPER_CREW = [
  { type: 'sink', threads: 2, snapshot: { version: 1, when: 'batch' } },
  { type: 'clock', snapshot: { version: 1, when: 'batch' } },
] as const;

export type KeeperNews =
  | { readonly acked: readonly [key: string, n: number] }
  | { readonly reminded: string };

const say = (news: KeeperNews) => process.send?.(news);

async function keep(directory: string, life: number): Promise<void> {
  const { options } = await openStores(directory);
  const { ref, ask, tally, log } = await startWorkers({ teardown() {} }, KEEPER_CREW, options);
  await until('what the last life left is handled', () => log.lag() === 0, 30_000);
  for (let n = 0; n < 40; n++) {
    const name = `${life}-${n}`;
    // Many are due at once, soon and later.
    const job: Job = { type: 'remind', name, afterMs: n < 20 ? 100 : 1_500 };
    await ask('clock', `${n % 4}`, job);
    say({ reminded: name });
  }
  await Promise.all(
    KEEPER_KEYS.map(async (key) => {
      const { last }: Tally = await tally('sink', key);
      for (let n = (last.main ?? 0) + 1; ; n++) {
        await ref('sink', key).tellDurably({ type: 'add', from: 'main', n });
        say({ acked: [key, n] });
      }
    }),
  );
}

const [, file, directory, life] = process.argv;
if (file !== undefined && import.meta.url.endsWith('/keeper.js') && process.send && directory) {
  await keep(directory, Number(life));
}
