/**
 * Dead letters in Postgres (P4): the table of migrations 0001 and 0008, behind the runtime's `DeadLetterStore`.
 *
 * | put of an id that is | becomes                                                                                 |
 * |----------------------|-----------------------------------------------------------------------------------------|
 * | not there            | `waiting`                                                                               |
 * | `waiting`            | `waiting`, with the newer cause: a crash came between the put and the commit of its offset |
 * | `replayed`           | `waiting` again, with the new cause and attempts: it died once more                       |
 * | `dropped`            | the same                                                                                  |
 *
 * The last rows hold whatever the clocks of two machines say: a letter shown once too often does no harm, its effect is
 * deduplicated; one that is not shown is lost.
 *
 * A put must not fail because of what is in a letter. The one thing that a Postgres text cannot hold is the character
 * NUL: in a cause it is replaced, in a key or a deduplication key it is escaped, and comes back as it was.
 */
import type { DeadLetter, DeadLetterStore, StoredDeadLetter } from '../../runtime/stores/dead-letter.js';
import {
  assertChoice,
  assertFilter,
  assertMany,
  assertSelection,
  boundedBy,
  boundedCause,
} from '../dead-letter-limits.js';
import { isUuid } from '../uuid.js';
import { escapeNul, replaceNul, toBytea, unescapeNul } from './columns.js';
import { readSummary, SUMMARY, type SummaryRow, where } from './dead-letter-selection.js';
import type { Pool } from './pool.js';

/** Rows of one statement; a longer list is put in several. */
const ROWS_MAX = 500;
/** Bytes of payload of one statement. */
const BYTES_MAX = 8 * 1024 * 1024;
const INTEGER_MAX = 2 ** 31 - 1;

const PUT = `
  INSERT INTO dead_letters (id, actor, key, dedupe, received_at, traceparent, payload,
                            cause_code, cause_message, cause_stack, attempts, dead_at)
  SELECT DISTINCT ON (id) *
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bytea[],
              $8::text[], $9::text[], $10::text[], $11::integer[], $12::bigint[])
       AS given (id, actor, key, dedupe, received_at, traceparent, payload,
                 cause_code, cause_message, cause_stack, attempts, dead_at)
  ORDER BY id, dead_at DESC
  ON CONFLICT (id) DO UPDATE SET
    cause_code = excluded.cause_code, cause_message = excluded.cause_message, cause_stack = excluded.cause_stack,
    attempts = excluded.attempts, dead_at = excluded.dead_at, state = 'waiting',
    replayed_at = NULL, dropped_at = NULL, dropped_by = NULL`;

const COLUMNS = `id, actor, key, dedupe, received_at, traceparent, payload,
  cause_code, cause_message, cause_stack, attempts, dead_at, state, replayed_at, dropped_at, dropped_by`;

/** Locked in the order of a put: two that have letters in common wait for one another. */
const SETTLE = `
  WITH mine AS (
    SELECT d.id FROM unnest($1::uuid[], $2::bigint[]) AS m (id, dead_at)
    JOIN dead_letters d ON d.id = m.id AND d.dead_at = m.dead_at
    WHERE d.state = 'waiting' ORDER BY d.id FOR UPDATE OF d
  )
  UPDATE dead_letters d SET state = $3, replayed_at = $4, dropped_at = $5, dropped_by = $6
  FROM mine WHERE d.id = mine.id`;

interface Row {
  readonly id: string;
  readonly actor: string;
  readonly key: string;
  readonly dedupe: string;
  readonly received_at: string;
  readonly traceparent: string;
  readonly payload: Buffer;
  readonly cause_code: string;
  readonly cause_message: string;
  readonly cause_stack: string;
  readonly attempts: number;
  readonly dead_at: string;
  readonly state: StoredDeadLetter['state'];
  readonly replayed_at: string | null;
  readonly dropped_at: string | null;
  readonly dropped_by: string | null;
}

/**
 * `list` gives the letters in the order in which they died, so that the letters of a key replay in order.
 * @param now milliseconds since the epoch
 * @throws the store's promises reject with the errors of `toPostgresError`
 */
export function createDeadLetterStore(pool: Pool, now: () => number = Date.now): DeadLetterStore {
  return {
    async put(letters) {
      for (const part of parts(letters)) await pool.query(PUT, columns(part));
    },

    async list(filter) {
      assertFilter(filter);
      const { sql, values } = where(filter, filter.after);
      const { rows } = await pool.query<Row>(
        `SELECT ${COLUMNS} FROM dead_letters ${sql} ORDER BY dead_at, id LIMIT ${filter.limit}`,
        values,
      );
      return rows.map(fromRow);
    },

    async get(id) {
      if (!isUuid(id)) return undefined;
      const { rows } = await pool.query<Row>(`SELECT ${COLUMNS} FROM dead_letters WHERE id = $1`, [id]);
      return rows[0] && fromRow(rows[0]);
    },

    async getMany(ids) {
      assertMany(ids);
      const { rows } = await pool.query<Row>(
        `SELECT ${COLUMNS} FROM dead_letters WHERE id = ANY ($1::uuid[])`,
        [ids.filter(isUuid)],
      );
      return rows.map(fromRow);
    },

    async settle(marks, end) {
      assertMany(marks);
      const known = marks.filter(({ id }) => isUuid(id));
      if (known.length === 0) return 0;
      const { rowCount } = await pool.query(SETTLE, [
        known.map(({ id }) => id),
        known.map(({ deadAt }) => Math.trunc(deadAt)),
        end.state,
        ...(end.state === 'replayed' ? [now(), null, null] : [null, now(), replaceNul(boundedBy(end.by))]),
      ]);
      return rowCount ?? 0;
    },

    async choose(selection, limit) {
      assertChoice(selection, limit);
      if ((selection.state ?? 'waiting') !== 'waiting') return [];
      const { sql, values } = where({ ...selection, state: 'waiting' });
      const { rows } = await pool.query<{ id: string; dead_at: string }>(
        `SELECT id, dead_at FROM dead_letters ${sql} ORDER BY id LIMIT ${limit}`,
        values,
      );
      return rows.map(({ id, dead_at }) => ({ id, deadAt: Number(dead_at) }));
    },

    async summary(selection) {
      assertSelection(selection);
      const { sql, values } = where(selection);
      const { rows } = await pool.query<SummaryRow>(SUMMARY(sql), values);
      return readSummary(rows[0]);
    },

    async count() {
      const { rows } = await pool.query<{ count: string }>(
        `SELECT count(*) AS count FROM dead_letters WHERE state = 'waiting'`,
      );
      return Number(rows[0]?.count ?? 0);
    },
  };
}

/** `letters` in parts of bounded size, in order. */
function* parts(letters: readonly DeadLetter[]): Generator<readonly DeadLetter[]> {
  let part: DeadLetter[] = [];
  let bytes = 0;
  for (const letter of letters) {
    const { length } = letter.envelope.payload;
    if (part.length > 0 && (part.length === ROWS_MAX || bytes + length > BYTES_MAX)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(letter);
    bytes += length;
  }
  if (part.length > 0) yield part;
}

function columns(letters: readonly DeadLetter[]): readonly unknown[][] {
  const causes = letters.map(({ cause }) => boundedCause(cause));
  return [
    letters.map(({ envelope }) => envelope.id),
    letters.map(({ envelope }) => escapeNul(envelope.actor)),
    letters.map(({ envelope }) => escapeNul(envelope.key)),
    letters.map(({ envelope }) => escapeNul(envelope.dedupe)),
    letters.map(({ envelope }) => Math.trunc(envelope.receivedAt)),
    letters.map(({ envelope }) => escapeNul(envelope.traceparent)),
    letters.map(({ envelope }) => toBytea(envelope.payload)),
    causes.map(({ code }) => replaceNul(code)),
    causes.map(({ message }) => replaceNul(message)),
    causes.map(({ stack }) => replaceNul(stack)),
    letters.map(({ attempts }) => Math.min(attempts, INTEGER_MAX)),
    letters.map(({ deadAt }) => Math.trunc(deadAt)),
  ];
}

function fromRow(row: Row): StoredDeadLetter {
  return {
    envelope: {
      id: row.id,
      actor: unescapeNul(row.actor),
      key: unescapeNul(row.key),
      dedupe: unescapeNul(row.dedupe),
      receivedAt: Number(row.received_at),
      traceparent: unescapeNul(row.traceparent),
      payload: row.payload,
    },
    cause: { code: row.cause_code, message: row.cause_message, stack: row.cause_stack },
    attempts: row.attempts,
    deadAt: Number(row.dead_at),
    state: row.state,
    replayedAt: row.replayed_at === null ? undefined : Number(row.replayed_at),
    ...drop(row),
  };
}

/** A node of the release before leaves these columns as they are when a letter that was dropped dies again. */
function drop({ state, dropped_at, dropped_by }: Row): Pick<StoredDeadLetter, 'droppedAt' | 'droppedBy'> {
  const dropped = state === 'dropped';
  return {
    droppedAt: dropped ? Number(dropped_at) : undefined,
    droppedBy: dropped ? (dropped_by ?? undefined) : undefined,
  };
}
