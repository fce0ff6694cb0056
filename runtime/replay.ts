import { encodeEnvelope } from './envelope.js';
import type { MessageLog } from './message-log.js';
import { partitionOf } from './partition.js';
import type { DeadLetterStore } from './stores/dead-letter.js';
import { undecodablePartition } from './undecodable.js';

export interface ReplayParts {
  readonly store: DeadLetterStore;
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
  const { envelope } = letter;
  const { actor, key } = envelope;
  const undecodable = undecodablePartition(id);
  const index = undecodable ?? partitionOf(group(actor, key), log.partitions);
  const bytes = undecodable === undefined ? encodeEnvelope(envelope) : envelope.payload;
  const partition = log.open(actor)[index];
  if (partition === undefined) throw new RangeError(`the log has no partition ${index} any more`);
  await new Promise<number>((resolve, reject) => {
    partition.append(bytes, { appended: resolve, appendFailed: reject });
  });
  // False means that it has died again meanwhile and waits anew: it was replayed all the same.
  await store.markReplayed(id, letter.deadAt);
  return true;
}
