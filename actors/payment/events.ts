/**
 * What people look for in `events`: one webhook among tens of millions, and what became of it.
 *
 * Every search is bounded, whatever is asked: it runs beside the payments, on the same database.
 *
 * | asked by          | reads                                                                                        |
 * |-------------------|----------------------------------------------------------------------------------------------|
 * | id                | one row of `events_by_id`                                                                    |
 * | key, dedupe       | of the primary key what begins so, and of `events_by_key` the rest; 1,000 rows of each         |
 * | nothing of these  | `events_by_id` from the latest on: 50,000 rows a page, however few of them fit                 |
 *
 * A page that is not full has a cursor all the same when its rows were not all. Ids are UUIDs of version 7: a time of acceptance is
 * a bound of ids, exact but for messages that ran ahead of the clock. A statement ends after 3 s, takes no parallel workers, and
 * 4 searches of a node run at once.
 */
import { OutageError, TetherError } from '../../runtime/errors.js';
import { PostgresQueryError } from '../../storage/postgres/errors.js';
import { inTransaction, type Pool, type Transaction } from '../../storage/postgres/pool.js';
import { isUuid } from '../../storage/uuid.js';
import { type PayloadPlace, PLACE_COLUMNS, type PlaceRow, placeOf } from '../archive/place.js';
import {
  dedupeSource,
  type EventMatch,
  type EventTime,
  idBound,
  keySource,
  matchesOf,
  timeBounds,
  Values,
  whereAll,
} from './event-selection.js';

export interface PaymentEvent {
  /** Of one payment, the order of effect. */
  readonly seq: number;
  readonly id: string;
  readonly endpoint: string;
  readonly kind: string;
  readonly key: string;
  readonly dedupe: string;
  readonly status: string;
  readonly reportedStatus: string | undefined;
  readonly traceparent: string | undefined;
  /** Milliseconds since the epoch, as `processedAt`. */
  readonly receivedAt: number;
  readonly processedAt: number;
  /** Of the payload, wherever it is. */
  readonly bytes: number;
  /** Undefined when it is not in Postgres: `actors/archive/payloads.ts` gets it. */
  readonly payload: Uint8Array | undefined;
  /** Undefined when it is not archived. */
  readonly place: PayloadPlace | undefined;
}

export interface EventFilter extends EventMatch, EventTime {
  /** What the deduplication key begins with. */
  readonly dedupe?: string;
  /** Only ids below this one: `next` of the page before. */
  readonly before?: string;
  /** 1 to 200. */
  readonly limit: number;
}

export interface EventPage {
  /** The newest first. */
  readonly events: readonly PaymentEvent[];
  /** For `before`; undefined when there are no more. */
  readonly next: string | undefined;
}

export interface PaymentRecord {
  readonly endpoint: string;
  readonly id: string;
  readonly status: string;
  /** Minor units. */
  readonly amount: number | undefined;
  readonly currency: string | undefined;
  readonly transactionId: string | undefined;
  readonly transactionType: string | undefined;
  /** `{ status, event, at, message }`, oldest first. */
  readonly history: readonly unknown[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The search took too long; a smaller one may not. */
export class EventSearchSlowError extends TetherError {
  readonly code = 'TETHER_EVENT_SEARCH_SLOW';
  readonly retryable = false;
}

/** As many searches are under way as there may be. */
export class EventSearchBusyError extends OutageError {
  readonly code = 'TETHER_EVENT_SEARCH_BUSY';
}

const LIMIT_MAX = 200;
const ROWS_OF_KEY_MAX = 1_000;
const ROWS_OF_PAGE_MAX = 50_000;
const SEARCH_MS_MAX = 3_000;
const AT_ONCE_MAX = 4;
const QUERY_CANCELED = '57014';

const COLUMNS = `seq::float8, id, endpoint, kind, key, dedupe, status, reported_status, traceparent,
  (extract(epoch FROM received_at) * 1000)::float8 AS received_at,
  (extract(epoch FROM processed_at) * 1000)::float8 AS processed_at,
  coalesce(octet_length(payload), payload_length, 0) AS bytes, payload, ${PLACE_COLUMNS}`;

interface EventRow extends PlaceRow {
  readonly seq: number;
  readonly id: string;
  readonly endpoint: string;
  readonly kind: string;
  readonly key: string;
  readonly dedupe: string;
  readonly status: string;
  readonly reported_status: string | null;
  readonly traceparent: string | null;
  readonly received_at: number;
  readonly processed_at: number;
  readonly bytes: number;
  /** Null when it is elsewhere. */
  readonly payload: Buffer | null;
}

interface PaymentRow {
  readonly endpoint: string;
  readonly id: string;
  readonly status: string;
  readonly amount: number | null;
  readonly currency: string | null;
  readonly transaction_id: string | null;
  readonly transaction_type: string | null;
  readonly history: readonly unknown[];
  readonly created_at: number;
  readonly updated_at: number;
}

const PAYMENT = `
  SELECT endpoint, id, status, amount::float8, currency, transaction_id, transaction_type, history,
    (extract(epoch FROM created_at) * 1000)::float8 AS created_at,
    (extract(epoch FROM updated_at) * 1000)::float8 AS updated_at
  FROM payments WHERE endpoint = $1 AND id = $2`;

/**
 * Leaves the pool to who made it.
 * @throws EventSearchSlowError, EventSearchBusyError, and what `toPostgresError` makes of an error
 */
export class PaymentEvents {
  readonly #pool: Pool;
  #searches = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async find(filter: EventFilter): Promise<EventPage> {
    const { limit, id, key, dedupe } = filter;
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
      throw new RangeError(`a page of events has 1 to ${LIMIT_MAX}, not ${limit}`);
    }
    if (id !== undefined && !isUuid(id)) return { events: [], next: undefined };
    return this.#search(async (client) => {
      const values = new Values();
      const bounds = boundsOf(filter, values);
      const matches = matchesOf(filter, values);
      const isPaged = (id ?? key ?? dedupe) === undefined;
      const source = isPaged
        ? `(SELECT * FROM events ${whereAll(bounds)} ORDER BY id DESC LIMIT ${ROWS_OF_PAGE_MAX}) e`
        : sourceOf(filter, values);
      const { rows } = await client.query<EventRow>(
        `SELECT ${COLUMNS} FROM ${source} ${whereAll(isPaged ? matches : [...bounds, ...matches])}
         ORDER BY id DESC LIMIT ${limit + 1}`,
        values.all,
      );
      const events = rows.slice(0, limit).map(toEvent);
      if (rows.length > limit) return { events, next: events.at(-1)?.id };
      return { events, next: isPaged ? await endOfRows(client, filter) : undefined };
    });
  }

  async get(id: string): Promise<PaymentEvent | undefined> {
    return (await this.find({ id, limit: 1 })).events[0];
  }

  async payment(endpoint: string, id: string): Promise<PaymentRecord | undefined> {
    return this.#search(async (client) => {
      const { rows } = await client.query<PaymentRow>(PAYMENT, [endpoint, id]);
      return rows[0] && toPayment(rows[0]);
    });
  }

  async #search<T>(work: (client: Transaction) => Promise<T>): Promise<T> {
    if (this.#searches >= AT_ONCE_MAX) {
      throw new EventSearchBusyError(`${AT_ONCE_MAX} searches are under way on this node`);
    }
    this.#searches++;
    try {
      return await inTransaction(this.#pool, async (client) => {
        await client.query(
          `SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = ${SEARCH_MS_MAX}; SET LOCAL max_parallel_workers_per_gather = 0`,
        );
        return work(client);
      });
    } catch (error) {
      if (error instanceof PostgresQueryError && error.sqlstate === QUERY_CANCELED) {
        throw new EventSearchSlowError(`a search of events took more than ${SEARCH_MS_MAX} ms`);
      }
      throw error;
    } finally {
      this.#searches--;
    }
  }
}

/** Where the next page begins when this one has read all the rows that it may; undefined at the end of the table. */
async function endOfRows(client: Transaction, filter: EventFilter): Promise<string | undefined> {
  const values = new Values();
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM events ${whereAll(boundsOf(filter, values))} ORDER BY id DESC
     OFFSET ${ROWS_OF_PAGE_MAX - 1} LIMIT 1`,
    values.all,
  );
  return rows[0]?.id;
}

function boundsOf({ before, ...time }: EventFilter, values: Values): readonly string[] {
  return [...(before === undefined ? [] : [idBound('<', before, values)]), ...timeBounds(time, values)];
}

function sourceOf({ id, key, dedupe }: EventFilter, values: Values): string {
  if (id !== undefined) return 'events e';
  if (dedupe !== undefined) return `(${dedupeSource([dedupe], `LIMIT ${ROWS_OF_KEY_MAX}`, values)}) e`;
  return keySource(key ?? '', '', 'any', ROWS_OF_KEY_MAX, values);
}

function toEvent(row: EventRow): PaymentEvent {
  return {
    seq: row.seq,
    id: row.id,
    endpoint: row.endpoint,
    kind: row.kind,
    key: row.key,
    dedupe: row.dedupe,
    status: row.status,
    reportedStatus: row.reported_status ?? undefined,
    traceparent: row.traceparent ?? undefined,
    receivedAt: Math.round(row.received_at),
    processedAt: Math.round(row.processed_at),
    bytes: row.bytes,
    payload: row.payload ?? undefined,
    place: placeOf(row),
  };
}

function toPayment(row: PaymentRow): PaymentRecord {
  return {
    endpoint: row.endpoint,
    id: row.id,
    status: row.status,
    amount: row.amount ?? undefined,
    currency: row.currency ?? undefined,
    transactionId: row.transaction_id ?? undefined,
    transactionType: row.transaction_type ?? undefined,
    history: row.history,
    createdAt: Math.round(row.created_at),
    updatedAt: Math.round(row.updated_at),
  };
}
