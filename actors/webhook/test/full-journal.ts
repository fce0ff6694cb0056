/**
 * Reads webhooks from a small journal, one route to the actor `witness`: for `full-journal.test.ts`, which starts it as a process of its own as
 * well, to kill it.
 */
import { ActorSystem } from '../../../runtime/actor-system.js';
import { silentLogger } from '../../../runtime/logger.js';
import { type Journal, openJournal } from '../../../storage/journal/index.js';

const KIB = 1024;

/** A journal of 8 files; all of them full, it holds some 300 messages of 1,500 bytes. */
export function openSmallJournal(directory: string): Promise<Journal> {
  return openJournal({ directory, partitions: 4, segmentBytes: 64 * KIB, bytesMax: 8 * 64 * KIB });
}

export async function startReader(
  log: Journal,
  databaseUrl: string,
  died: (count: number) => void,
): Promise<ActorSystem> {
  const endpoints = { shop: { actor: 'witness' } };
  return ActorSystem.start({
    log,
    deadLetters: { put: async (letters) => died(letters.length) },
    actors: [
      {
        module: new URL('../actor.js', import.meta.url),
        settings: { databaseUrl, idempotencyEntriesMax: 1_000, endpoints },
      },
      { module: new URL('./witness.js', import.meta.url), settings: { databaseUrl } },
    ],
    retry: { attemptsMax: 5, delayMs: 20, delayMsMax: 100 },
    logger: silentLogger,
    logLevel: 'error',
  });
}

const [, file, directory, databaseUrl] = process.argv;
if (file !== undefined && import.meta.url.endsWith('/full-journal.js') && process.send && databaseUrl) {
  await startReader(await openSmallJournal(directory ?? ''), databaseUrl, () => process.exit(1));
}
