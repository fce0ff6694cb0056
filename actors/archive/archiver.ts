/**
 * Moves payloads out of Postgres into segments of the object store, and segments out of the store when their time is over.
 *
 * A segment goes through these steps, and a process may end between any two of them:
 *
 * | step                                                       | a crash behind it leaves                                       |
 * |------------------------------------------------------------|----------------------------------------------------------------|
 * | payloads are read, and put together in memory              | nothing                                                        |
 * | row, `writing`                                             | a row; given up later                                          |
 * | PUT                                                        | an object that nothing refers to; removed later                |
 * | the object is read back, and is what was put, byte for byte | the same                                                       |
 * | one transaction: row `written`, events refer to it          | all of it done                                                 |
 *
 * Payloads leave Postgres in the last step only. Two who archive the same events, because one has lost its lease and not noticed, are told apart by
 * the epoch, and should that not be enough, by the rows: whoever comes second finds events that are archived, and drops its segment.
 *
 * A PUT costs money, so a segment is written when it is full; at low traffic, when its oldest event has waited for `patienceMs` beyond its age.
 */
import type { Logger } from '../../runtime/logger.js';
import { ObjectRefusedError, ObjectStoreUnavailableError } from '../../storage/objects/errors.js';
import type { ObjectStore } from '../../storage/objects/object-store.js';
import type { HoldEpochs } from '../../storage/postgres/fence.js';
import type { Pool } from '../../storage/postgres/pool.js';
import { ArchiveDamagedError, SegmentLostError } from './errors.js';
import type { SegmentLimits } from './segment-builder.js';
import { type NewSegment, objectKeyOf, Segments } from './segments.js';
import { choose, look, type Waiting } from './waiting.js';

export interface ArchiveRules {
  /** From the effect of an event to when its payload may be archived; undefined: never. */
  readonly afterMs: number | undefined;
  /** How much longer payloads wait for their segment to be full. */
  readonly patienceMs: number;
  /** From the effect of its latest event, after which a segment goes; 0: never. */
  readonly keepDays: number;
  readonly limits: SegmentLimits;
}

export interface ArchiverParts {
  readonly pool: Pool;
  readonly objects: Pick<ObjectStore, 'put' | 'read' | 'delete'>;
  readonly rules: ArchiveRules;
  /** Of the call under way; undefined when the log has one owner. */
  readonly hold: HoldEpochs | undefined;
  /** UUIDs of version 7. */
  nextId(): string;
  readonly logger: Logger;
}

/** Whether what waits is worth a PUT now. */
export function isDue({ events, payloadBytes, oldestMs }: Waiting, rules: ArchiveRules): boolean {
  const { afterMs, patienceMs, limits } = rules;
  if (events === 0 || afterMs === undefined) return false;
  const isFull = events >= limits.eventsMax || payloadBytes >= limits.payloadBytesMax;
  return isFull || oldestMs >= afterMs + patienceMs;
}

/**
 * Archives what is due, one segment after another, and removes what is over.
 * @param isTimeOver asked between two steps that can be left for another time
 * @returns `paused` when there is more to do
 */
export async function archive(parts: ArchiverParts, isTimeOver: () => boolean): Promise<'done' | 'paused'> {
  const segments = new Segments(parts.pool, parts.hold);
  if (!(await tidied(parts, segments, isTimeOver))) return 'paused';
  const { afterMs, limits } = parts.rules;
  if (afterMs === undefined) return 'done';
  for (;;) {
    if (isTimeOver()) return 'paused';
    const waiting = await look(parts.pool, afterMs, limits.eventsMax);
    if (!isDue(waiting, parts.rules)) return 'done';
    const chosen = await choose(parts.pool, afterMs, limits, isTimeOver);
    // Somebody else was faster, or the time is over.
    if (chosen === undefined) continue;
    await write(parts, segments, { ...chosen, id: parts.nextId() });
  }
}

async function write(parts: ArchiverParts, segments: Segments, segment: NewSegment): Promise<void> {
  const { objects, logger } = parts;
  const { id, bytes, events, payloadBytes } = segment;
  await segments.begin(segment);
  try {
    await objects.put(objectKeyOf(id), bytes);
    await readBack(objects, segment);
    await segments.written(segment);
  } catch (error) {
    // Whether a commit whose answer was lost took place, the row says: then this changes nothing.
    await segments.giveUp(id).catch((failure: unknown) => {
      logger.debug({ err: failure, segment: id }, 'a segment is given up later');
    });
    if (!(error instanceof SegmentLostError)) throw error;
    logger.warn({ segment: id, reason: error.message }, 'a segment is dropped');
    return;
  }
  logger.info(
    { segment: id, events: events.length, bytes: bytes.length, payloadBytes },
    'payloads were archived',
  );
}

/** @throws ArchiveDamagedError when the store has something else, and what the store throws */
async function readBack(objects: ArchiverParts['objects'], { id, bytes }: NewSegment): Promise<void> {
  let at = 0;
  for await (const chunk of await objects.read(objectKeyOf(id))) {
    const piece = chunk as Buffer;
    if (!piece.equals(bytes.subarray(at, at + piece.length)))
      throw new ArchiveDamagedError(`the object store gave segment ${id} back as something else`);
    at += piece.length;
  }
  if (at !== bytes.length)
    throw new ArchiveDamagedError(
      `the object store gave ${at} of ${bytes.length} bytes of segment ${id} back`,
    );
}

/** A store that does not remove objects now keeps nothing from being archived. @returns false when the time is over */
async function tidied(parts: ArchiverParts, segments: Segments, isTimeOver: () => boolean): Promise<boolean> {
  try {
    return await tidy(parts, segments, isTimeOver);
  } catch (error) {
    if (!(error instanceof ObjectStoreUnavailableError || error instanceof ObjectRefusedError)) throw error;
    parts.logger.warn({ err: error }, 'segments that are over could not be removed yet');
    return true;
  }
}

/** Objects that are over, and what crashes have left. @returns whether all of it is done */
async function tidy(
  { rules, objects, logger }: ArchiverParts,
  segments: Segments,
  isTimeOver: () => boolean,
): Promise<boolean> {
  const abandoned = await segments.giveUpAbandoned();
  if (abandoned > 0) logger.warn({ segments: abandoned }, 'segments whose writer is gone are dropped');
  const expired = rules.keepDays === 0 ? 0 : await segments.expire(rules.keepDays);
  if (expired > 0) logger.info({ segments: expired, keepDays: rules.keepDays }, 'segments are over');
  for (;;) {
    const unwanted = await segments.unwanted();
    if (unwanted.length === 0) break;
    for (const { id, objectKey } of unwanted) {
      if (isTimeOver()) return false;
      await objects.delete(objectKey);
      await segments.removed(id);
    }
  }
  for (const { id, objectKey } of await segments.dropped()) {
    if (isTimeOver()) return false;
    await objects.delete(objectKey);
    await segments.forget(id);
  }
  return true;
}
