/** How the messages of an actor are put together into batches: what its definition says, else the defaults. */
import type { ActorDefinition } from './actor.js';

export interface Batching {
  /** The most durable messages handed to one `receive`; of volatile ones as many, where the definition allows more than one. */
  readonly batchMax: number;
  /** How long a batch that is not full waits for more, milliseconds. */
  readonly lingerMs: number;
}

const BATCH_MAX = { thread: 500, key: 64 };

export function batchingOf({
  scope,
  batchMax,
  lingerMs,
}: Pick<ActorDefinition, 'scope' | 'batchMax' | 'lingerMs'>): Batching {
  return { batchMax: batchMax ?? BATCH_MAX[scope], lingerMs: lingerMs ?? 0 };
}
