/**
 * The words in shared memory by which the threads of a node share the limits of an actor type, and by which the main thread changes how
 * much of them is this node's.
 *
 * | bytes             | holds                                                                                                        |
 * |-------------------|--------------------------------------------------------------------------------------------------------------|
 * | 0                 | `fullAt`: of the rate, see `shared-rate.ts`                                                                  |
 * | 8                 | `lease`: until when the share of this node counts, by `process.hrtime`; 0: it is all of the limits, for ever |
 * | 16                | `units`: of the rate, see `shared-rate.ts`                                                                   |
 * | 20, 24            | 1: a thread lacked a permit, a token, since the main thread last looked                                      |
 * | 28                | tokens taken, counted while there is a lease                                                                 |
 * | 32                | takers with lower numbers may be there; the last may in any case                                            |
 * | 36                | counts how often `units` was lowered                                                                         |
 * | 4 for each taker  | 1: it waits for a permit                                                                                     |
 * | 4 for each taker  | a word that it waits on                                                                                      |
 * | 4 for each taker  | its booking of a token, see `shared-rate.ts`                                                                 |
 * | 4 for each permit | who has it: 0 nobody, n + 1 taker n, -(n + 1) it was handed to taker n, which has not looked yet             |
 */
import type { FilledLimits } from '../limits.js';

const HEADER_BYTES = 40;

export interface LimitWords {
  readonly buffer: SharedArrayBuffer;
  readonly fullAt: BigInt64Array;
  readonly lease: BigInt64Array;
  /** One element each, as those above. */
  readonly units: Int32Array;
  readonly lacksPermit: Int32Array;
  readonly lacksToken: Int32Array;
  readonly taken: Int32Array;
  readonly attached: Int32Array;
  readonly lowered: Int32Array;
  readonly waits: Int32Array;
  readonly wakes: Int32Array;
  readonly booked: Int32Array;
  readonly permits: Int32Array;
}

/** @param buffer of the same limits and takers; without it, new ones, that are all this node's */
export function limitWords(limits: FilledLimits, takers: number, buffer?: SharedArrayBuffer): LimitWords {
  const permits = Number.isFinite(limits.concurrencyMax) ? limits.concurrencyMax : 0;
  const memory = buffer ?? new SharedArrayBuffer(HEADER_BYTES + 4 * (3 * takers + permits));
  const perTaker = (at: number) => new Int32Array(memory, HEADER_BYTES + 4 * takers * at, takers);
  const words: LimitWords = {
    buffer: memory,
    fullAt: new BigInt64Array(memory, 0, 1),
    lease: new BigInt64Array(memory, 8, 1),
    units: new Int32Array(memory, 16, 1),
    lacksPermit: new Int32Array(memory, 20, 1),
    lacksToken: new Int32Array(memory, 24, 1),
    taken: new Int32Array(memory, 28, 1),
    attached: new Int32Array(memory, 32, 1),
    lowered: new Int32Array(memory, 36, 1),
    waits: perTaker(0),
    wakes: perTaker(1),
    booked: perTaker(2),
    permits: new Int32Array(memory, HEADER_BYTES + 12 * takers, permits),
  };
  if (buffer === undefined && Number.isFinite(limits.ratePerSecond)) {
    Atomics.store(words.units, 0, limits.burst);
  }
  return words;
}
