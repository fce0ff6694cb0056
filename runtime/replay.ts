/** A dead letter back on the log, as the message that it was. */
import { encodeEnvelope } from './envelope.js';
import type { MessageLog } from './message-log.js';
import { partitionOf } from './partition.js';
import type { DeadLetterStore, StoredDeadLetter } from './stores/dead-letter.js';
import { undecodablePartition } from './undecodable.js';

export interface ReplayParts {
  readonly store: Pick<DeadLetterStore, 'get' | 'settle'>;
  readonly log: MessageLog;
  /** The group of an actor's key: it decides the partition. */
  readonly group: (actor: string, key: string) => string;
}

/** See `ActorSystem.replay`. A letter that could not be decoded goes back byte by byte, to the partition that it came from. */
export async function replayDeadLetter(id: string, { store, log, group }: ReplayParts): Promise<boolean> {
  if (typeof store.get !== 'function')
    throw new TypeError('the sink of dead letters only takes: it is no store');
  const letter = await store.get(id);
  if (letter === undefined || letter.state !== 'waiting') return false;
  await putBack(letter, { log, group });
  // None is settled when it has died again meanwhile and waits anew: it was replayed all the same.
  await store.settle([{ id, deadAt: letter.deadAt }], { state: 'replayed' });
  return true;
}

/**
 * Resolves when it is on the log.
 * @throws RangeError, UnknownActorError when there is no place for it; LogFullError, LogClosedError, LogUnavailableError
 */
export async function putBack(
  { envelope }: StoredDeadLetter,
  { log, group }: Omit<ReplayParts, 'store'>,
): Promise<void> {
  const { actor, key } = envelope;
  const undecodable = undecodablePartition(envelope.id);
  const index = undecodable ?? partitionOf(group(actor, key), log.partitions);
  const bytes = undecodable === undefined ? encodeEnvelope(envelope) : envelope.payload;
  const partition = log.open(actor)[index];
  if (partition === undefined) throw new RangeError(`the log has no partition ${index} any more`);
  await new Promise<number>((resolve, reject) => {
    partition.append(bytes, { appended: resolve, appendFailed: reject });
  });
}
