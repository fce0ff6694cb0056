import type { DeadLetterStore } from '../runtime/dead-letter.js';
import { encodeEnvelope } from '../runtime/envelope.js';
import type { MessageLog } from '../runtime/message-log.js';
import { type Group, partitionIn } from '../runtime/partition.js';
import { undecodablePartition } from '../runtime/undecodable.js';

/**
 * Puts a dead letter on the log again, as the message that it was (one that could not be decoded: byte by byte), and marks it as replayed. A crash between the two
 * replays it twice, which its idempotency key makes harmless.
 * @returns whether it is on the log again: false when there is no such letter, or it does not wait
 * @throws LogFullError, LogClosedError, OutageError
 */
export async function replayDeadLetter(
  id: string,
  store: DeadLetterStore,
  log: MessageLog,
  group: (actor: string) => Group | undefined,
): Promise<boolean> {
  const letter = await store.get(id);
  if (letter === undefined || letter.state !== 'waiting') return false;
  const { envelope } = letter;
  const undecodable = undecodablePartition(id);
  const index = undecodable ?? partitionIn(group(envelope.actor), envelope.key, log.partitions);
  const bytes = undecodable === undefined ? encodeEnvelope(envelope) : envelope.payload;
  const partition = log.open(envelope.actor)[index];
  if (partition === undefined) throw new RangeError(`the log has no partition ${index} any more`);
  await new Promise<number>((resolve, reject) => {
    partition.append(bytes, { appended: resolve, appendFailed: reject });
  });
  // False means that it has died again meanwhile and waits anew: it was replayed all the same.
  await store.markReplayed(id, letter.deadAt);
  return true;
}
