/**
 * Segments as the table `archive_segments` has them. Each change names the state that it starts from, so that of two who want one, one gets it.
 *
 * ```
 * writing --written--> written --kept for long enough--> expired
 *    `--given up--> dropping --a day later--> no row
 * ```
 *
 * | state      | the object                        | events refer to it | after a crash                                        |
 * |------------|-----------------------------------|--------------------|------------------------------------------------------|
 * | `writing`  | is put, or about to be            | no                 | given up when it is 15 minutes old                    |
 * | `written`  | is there, and was read back       | yes                | is                                                   |
 * | `dropping` | is removed, at once and a day on  | no                 | removed again: twice is once                          |
 * | `expired`  | is removed; `removed_at`: is gone | yes: payload gone  | removed again                                        |
 *
 * The row is there before the object, so no object is without one. Who is slow finds its segment given up when it wants to commit. A
 * PUT that was under way for longer than that may still arrive: so the object is removed a second time before the row goes.
 */

import type { HoldEpochs } from '../../storage/postgres/fence.js';
import { inTransaction, type Pool, type Queryable } from '../../storage/postgres/pool.js';
import { SegmentLostError } from './errors.js';
import { FORMAT_VERSION } from './format.js';
import type { Segment } from './segment-builder.js';

export interface NewSegment extends Segment {
  readonly id: string;
  /** Of its events, in the order of its places. */
  readonly events: readonly { readonly id: string; readonly seq: number }[];
  /** When the first and the last of them took effect, milliseconds since the epoch. */
  readonly oldest: number;
  readonly newest: number;
}

/** Its object has to go. */
export interface UnwantedSegment {
  readonly id: string;
  readonly objectKey: string;
}

/** Far more than a PUT may take (120 s). */
const ABANDONED_MINUTES = 15;
/** Of one statement. */
const EVENTS_AT_ONCE = 5_000;
const UNWANTED_MAX = 100;

const BEGIN = `
INSERT INTO archive_segments (id, state, format, object_key, events, bytes, payload_bytes, sha256, oldest, newest)
VALUES ($1, 'writing', ${FORMAT_VERSION}, $2, $3, $4, $5, $6, to_timestamp($7::float8 / 1000), to_timestamp($8::float8 / 1000))`;

const WRITTEN = `UPDATE archive_segments SET state = 'written', written_at = now() WHERE id = $1 AND state = 'writing'`;

/**
 * Only where the payload is still what was archived: it never changes, but it may have been archived by another meanwhile.
 *
 * $1 segment uuid, $2 ids uuid[], $3 seqs bigint[], $4 blocks at int[], $5 their lengths int[], $6 payloads at int[], $7 their lengths int[]
 */
const REFER = `
UPDATE events e SET payload = NULL, segment = $1, block_at = p.block_at, block_length = p.block_length,
  payload_at = p.payload_at, payload_length = p.payload_length
FROM unnest($2::uuid[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::int[])
  AS p (id, seq, block_at, block_length, payload_at, payload_length)
WHERE e.id = p.id AND e.seq = p.seq AND e.payload IS NOT NULL AND octet_length(e.payload) = p.payload_length`;

const GIVE_UP = `
UPDATE archive_segments SET state = 'dropping'
WHERE state = 'writing' AND created_at < now() - interval '${ABANDONED_MINUTES} minutes'`;

const EXPIRE = `
UPDATE archive_segments SET state = 'expired' WHERE state = 'written' AND newest < now() - $1 * interval '1 day'`;

const UNWANTED = `
SELECT id, object_key AS "objectKey" FROM archive_segments
WHERE state IN ('dropping', 'expired') AND removed_at IS NULL ORDER BY id LIMIT ${UNWANTED_MAX}`;

const REMOVED = 'UPDATE archive_segments SET removed_at = now() WHERE id = $1';

const DROPPED = `
SELECT id, object_key AS "objectKey" FROM archive_segments
WHERE state = 'dropping' AND removed_at < now() - interval '1 day' ORDER BY id LIMIT ${UNWANTED_MAX}`;

const FORGET = `DELETE FROM archive_segments WHERE id = $1 AND state = 'dropping'`;

export class Segments {
  readonly #pool: Pool;
  readonly #hold: HoldEpochs | undefined;

  /** @param hold undefined when the log has one owner */
  constructor(pool: Pool, hold: HoldEpochs | undefined) {
    this.#pool = pool;
    this.#hold = hold;
  }

  /** Before its object is put. */
  async begin({ id, places, bytes, payloadBytes, sha256, oldest, newest }: NewSegment): Promise<void> {
    await this.#held((client) =>
      client.query(BEGIN, [
        id,
        objectKeyOf(id),
        places.length,
        bytes.length,
        payloadBytes,
        sha256,
        oldest,
        newest,
      ]),
    );
  }

  /**
   * Its object was read back: from now on its events refer to it, all of them or none.
   * @throws SegmentLostError when some are not as they were
   */
  async written(segment: NewSegment): Promise<void> {
    const { id, events, places } = segment;
    await this.#held(async (client) => {
      // One look in the index for each event, whatever the statistics say.
      await client.query(
        'SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off',
      );
      if ((await client.query(WRITTEN, [id])).rowCount !== 1)
        throw new SegmentLostError(`segment ${id} was given up: it took too long`);
      for (let from = 0; from < events.length; from += EVENTS_AT_ONCE) {
        const to = Math.min(from + EVENTS_AT_ONCE, events.length);
        const some = places.slice(from, to);
        const { rowCount } = await client.query(REFER, [
          id,
          events.slice(from, to).map((event) => event.id),
          events.slice(from, to).map(({ seq }) => seq),
          some.map(({ blockAt }) => blockAt),
          some.map(({ blockLength }) => blockLength),
          some.map(({ payloadAt }) => payloadAt),
          some.map(({ payloadLength }) => payloadLength),
        ]);
        if (rowCount !== to - from)
          throw new SegmentLostError(`of segment ${id}, some events were archived by another meanwhile`);
      }
    });
  }

  /** One that was not written: its object may go. */
  async giveUp(id: string): Promise<void> {
    await this.#pool.query(
      `UPDATE archive_segments SET state = 'dropping' WHERE id = $1 AND state = 'writing'`,
      [id],
    );
  }

  /** Those whose writer is gone. How many. */
  async giveUpAbandoned(): Promise<number> {
    return (await this.#pool.query(GIVE_UP)).rowCount ?? 0;
  }

  /** Those whose latest event took effect so long ago. How many. */
  async expire(days: number): Promise<number> {
    return await this.#held(async (client) => (await client.query(EXPIRE, [days])).rowCount ?? 0);
  }

  /** Whose objects have to go, at most 100. */
  async unwanted(): Promise<readonly UnwantedSegment[]> {
    return (await this.#pool.query<UnwantedSegment>(UNWANTED)).rows;
  }

  /** Its object is gone. */
  async removed(id: string): Promise<void> {
    await this.#pool.query(REMOVED, [id]);
  }

  /** Given up and removed a day ago, at most 100. */
  async dropped(): Promise<readonly UnwantedSegment[]> {
    return (await this.#pool.query<UnwantedSegment>(DROPPED)).rows;
  }

  async forget(id: string): Promise<void> {
    await this.#pool.query(FORGET, [id]);
  }

  #held<T>(work: (client: Queryable) => Promise<T>): Promise<T> {
    return inTransaction(this.#pool, async (client) => {
      await this.#hold?.(client);
      return work(client);
    });
  }
}

/** By day, for people who look into the bucket: a UUID of version 7 begins with its time. */
export function objectKeyOf(id: string): string {
  const day = new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString().slice(0, 10);
  return `archive/${day}/${id}`;
}
