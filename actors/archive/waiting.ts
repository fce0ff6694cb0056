/**
 * What waits to be archived: events that took effect long enough ago and whose payload is in Postgres.
 *
 * `events_to_archive` has exactly these and those that are too young, in the order in which they took effect. So no event is passed over, however late it
 * was committed, and nothing is remembered between two looks. An event that is `delayed` is none of them: its payload is needed.
 */
import { inTransaction, type Pool } from '../../storage/postgres/pool.js';
import { PAYLOAD_BYTES_MAX, type Segment, SegmentBuilder, type SegmentLimits } from './segment-builder.js';

/** Of the first that wait, as many as a segment holds. */
export interface Waiting {
  readonly events: number;
  readonly payloadBytes: number;
  /** How long ago the first took effect, milliseconds. */
  readonly oldestMs: number;
}

/** A segment that is full of them, in memory. */
export interface Chosen extends Segment {
  readonly events: readonly { readonly id: string; readonly seq: number }[];
  readonly oldest: number;
  readonly newest: number;
}

/** For the first rows, whose length is not known. */
const ROWS_FIRST = 50;
const ROWS_MAX = 1_000;
const PAGE_BYTES = 1024 * 1024;

const waitingFor = (afterMs: number, limit: number, columns: string) => `
SELECT ${columns} FROM events
WHERE payload IS NOT NULL AND status <> 'delayed' AND processed_at < now() - ${Math.trunc(afterMs)} * interval '1 millisecond'
  AND octet_length(payload) <= ${PAYLOAD_BYTES_MAX}
ORDER BY processed_at LIMIT ${Math.trunc(limit)}`;

export async function look(pool: Pool, afterMs: number, eventsMax: number): Promise<Waiting> {
  const { rows } = await pool.query<{ events: number; bytes: number; oldest: number }>(
    `SELECT count(*)::int AS events, coalesce(sum(bytes), 0)::float8 AS bytes,
       coalesce(extract(epoch FROM now() - min(processed_at)) * 1000, 0)::float8 AS oldest
     FROM (${waitingFor(afterMs, eventsMax, 'octet_length(payload) AS bytes, processed_at')}) e`,
  );
  const [row] = rows;
  return { events: row?.events ?? 0, payloadBytes: row?.bytes ?? 0, oldestMs: row?.oldest ?? 0 };
}

interface Row {
  readonly id: string;
  readonly seq: number;
  readonly at: number;
  readonly payload: Buffer;
}

/**
 * Reads the first that wait, page by page, until a segment is full.
 * @param isGivenUp asked between two pages
 * @returns undefined when there are none, or it was given up
 */
export async function choose(
  pool: Pool,
  afterMs: number,
  limits: SegmentLimits,
  isGivenUp: () => boolean,
): Promise<Chosen | undefined> {
  const builder = new SegmentBuilder(limits);
  const events: { id: string; seq: number }[] = [];
  let oldest = Number.POSITIVE_INFINITY;
  let newest = 0;
  const isWhole = await inTransaction(pool, async (client) => {
    const columns =
      'id, seq::float8 AS seq, (extract(epoch FROM processed_at) * 1000)::float8 AS at, payload';
    await client.query(
      `SET TRANSACTION READ ONLY; DECLARE waiting NO SCROLL CURSOR FOR ${waitingFor(afterMs, limits.eventsMax, columns)}`,
    );
    for (let wanted = ROWS_FIRST; ; ) {
      if (isGivenUp()) return false;
      const { rows } = await client.query<Row>(`FETCH ${wanted} FROM waiting`);
      let bytes = 0;
      for (const { id, seq, at, payload } of rows) {
        if (!builder.add(id, payload)) return true;
        events.push({ id, seq });
        oldest = Math.min(oldest, at);
        newest = Math.max(newest, at);
        bytes += payload.length;
      }
      if (rows.length < wanted) return true;
      const perRow = Math.max(1, bytes / rows.length);
      wanted = Math.min(ROWS_MAX, Math.max(1, Math.trunc(PAGE_BYTES / perRow)));
    }
  });
  const segment = isWhole ? builder.finish() : undefined;
  return segment && { ...segment, events, oldest, newest };
}
