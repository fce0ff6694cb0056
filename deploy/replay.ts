import type { DeadLetterStore } from '../runtime/dead-letter.js';
import { encodeEnvelope } from '../runtime/envelope.js';
import type { MessageLog } from '../runtime/message-log.js';
import { partitionOf } from '../runtime/partition.js';

/**
 * Puts a dead letter on the log again, as the message that it was, and marks it as replayed. A crash between the two
 * replays it twice, which its idempotency key makes harmless.
 * @returns whether it is on the log again: false when there is no such letter, or it does not wait
 * @throws LogFullError, LogClosedError, OutageError
 */
export async function replayDeadLetter(
  id: string,
  store: DeadLetterStore,
  log: MessageLog,
): Promise<boolean> {
  const letter = await store.get(id);
  if (letter === undefined || letter.state !== 'waiting') return false;
  const { envelope } = letter;
  const partition = log.open(envelope.actor)[partitionOf(envelope.key, log.partitions)];
  if (partition === undefined) throw new RangeError('a log has at least one partition');
  await new Promise<number>((resolve, reject) => {
    partition.append(encodeEnvelope(envelope), { appended: resolve, appendFailed: reject });
  });
  // False means that it has died again meanwhile and waits anew: it was replayed all the same.
  await store.markReplayed(id, letter.deadAt);
  return true;
}
