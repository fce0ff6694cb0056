/**
 * Which events a replay is of, and how they are read: a page at a time, in the order of their ids, which is that of acceptance.
 *
 * | selected by         | a page reads                                                                            |
 * |---------------------|-----------------------------------------------------------------------------------------|
 * | ids                 | these, of `events_by_id`                                                                |
 * | a key               | of the key, behind the cursor (`event-selection.ts`)                                    |
 * | nothing of these    | `events_by_id` behind the cursor: 10,000 rows, however few of them fit                  |
 *
 * A page has so many rows that their bodies are 8 MiB, and at least one. A statement ends after 10 s and takes no parallel workers: it runs beside
 * the payments.
 */
import { inTransaction, type Pool, type Queryable } from '../../storage/postgres/pool.js';
import { type PayloadPlace, PLACE_COLUMNS, type PlaceRow, placeOf } from '../archive/place.js';
import { idBound, keySource, matchesOf, timeBounds, Values, whereAll } from '../payment/event-selection.js';

export const IDS_MAX = 1_000;

interface Filter {
  readonly endpoint?: string | undefined;
  readonly kind?: string | undefined;
  /** Without the endpoint. */
  readonly key?: string | undefined;
  readonly status?: string | undefined;
  /** Of acceptance, milliseconds since the epoch; inclusive. */
  readonly from?: number | undefined;
  /** Exclusive. */
  readonly to?: number | undefined;
}

/** At most `IDS_MAX` ids, UUIDs; or all that the filter selects. */
export type ReplaySelection = { readonly ids: readonly string[] } | { readonly filter: Filter };

/** A row of `events`, as far as a replay needs it. */
export interface ReplayedEvent {
  readonly id: string;
  readonly endpoint: string;
  readonly kind: string;
  readonly key: string;
  readonly dedupe: string;
  readonly status: string;
  readonly traceparent: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** What the gateway read of a webhook; null of EMP's. */
  readonly meta: unknown;
  /** Undefined when it is not in Postgres: `bodies.ts` gets it. */
  readonly payload: Uint8Array | undefined;
  /** Undefined when it is not archived. */
  readonly place: PayloadPlace | undefined;
}

export interface EventPage {
  readonly events: readonly ReplayedEvent[];
  /** Where the next page begins; undefined: there is none. */
  readonly next: string | undefined;
}

interface Row extends Omit<ReplayedEvent, 'traceparent' | 'receivedAt' | 'payload' | 'place'>, PlaceRow {
  readonly traceparent: string | null;
  readonly payload: Buffer | null;
  readonly received_at: number;
  /** Of the page, before it was cut by its bytes. */
  readonly found: number;
}

const ROWS_OF_PAGE_MAX = 10_000;
const BYTES_OF_PAGE_MAX = 8 * 1024 * 1024;
/** Of a payload, wherever it is. */
const BYTES = 'coalesce(octet_length(payload), payload_length, 0)';
const STATEMENT_MS_MAX = 10_000;

/** @param limit of its rows, 1 or more. @throws what `toPostgresError` makes of an error */
export async function readPage(
  pool: Pool,
  selection: ReplaySelection,
  cursor: string | undefined,
  limit: number,
): Promise<EventPage> {
  return bounded(pool, async (client) => {
    const values = new Values();
    const { source, where } = sourceOf(selection, cursor, limit, values);
    const { rows } = await client.query<Row>(
      `SELECT id, endpoint, kind, key, dedupe, status, traceparent, meta, payload, ${PLACE_COLUMNS}, found::int,
         (extract(epoch FROM received_at) * 1000)::float8 AS received_at
       FROM (
         SELECT *, count(*) OVER () AS found,
           sum(${BYTES}) OVER (ORDER BY id) - ${BYTES} AS bytes_before
         FROM (SELECT * FROM ${source} ${where} ORDER BY id LIMIT ${limit}) p
       ) c
       WHERE bytes_before <= ${BYTES_OF_PAGE_MAX} ORDER BY id`,
      values.all,
    );
    const events = rows.map(toEvent);
    const found = rows[0]?.found ?? 0;
    const isCut = found === limit || rows.length < found;
    return { events, next: isCut ? events.at(-1)?.id : await endOfRows(client, selection, cursor) };
  });
}

function toEvent(row: Row): ReplayedEvent {
  return {
    id: row.id,
    endpoint: row.endpoint,
    kind: row.kind,
    key: row.key,
    dedupe: row.dedupe,
    status: row.status,
    traceparent: row.traceparent ?? '',
    receivedAt: Math.round(row.received_at),
    meta: row.meta,
    payload: row.payload ?? undefined,
    place: placeOf(row),
  };
}

export interface SelectionSummary {
  /** At most `COUNTED_MAX` in all. */
  readonly endpoints: readonly EndpointSummary[];
  readonly total: number;
}

export interface EndpointSummary {
  readonly endpoint: string;
  readonly events: number;
  readonly ofEmp: number;
  readonly delayed: number;
  readonly oldest: number;
  readonly latest: number;
}

export const COUNTED_MAX = 5_000_000;

/** What is selected, by endpoint, the most first. @throws PostgresQueryError with code 57014 when it takes too long */
export async function summarize(pool: Pool, selection: ReplaySelection): Promise<SelectionSummary> {
  return bounded(pool, async (client) => {
    const values = new Values();
    const { source, where } = wholeOf(selection, values);
    const { rows } = await client.query<{
      endpoint: string;
      events: number;
      of_emp: number;
      delayed: number;
      oldest: number;
      latest: number;
    }>(
      `SELECT endpoint, count(*)::float8 AS events, count(*) FILTER (WHERE meta IS NULL)::float8 AS of_emp,
         count(*) FILTER (WHERE status = 'delayed')::float8 AS delayed,
         (extract(epoch FROM min(received_at)) * 1000)::float8 AS oldest,
         (extract(epoch FROM max(received_at)) * 1000)::float8 AS latest
       FROM (SELECT endpoint, meta, status, received_at FROM ${source} ${where} LIMIT ${COUNTED_MAX}) s
       GROUP BY endpoint ORDER BY 2 DESC, 1`,
      values.all,
    );
    const endpoints = rows.map(({ of_emp, oldest, latest, ...row }) => ({
      ...row,
      ofEmp: of_emp,
      oldest: Math.round(oldest),
      latest: Math.round(latest),
    }));
    return { endpoints, total: endpoints.reduce((sum, { events }) => sum + events, 0) };
  });
}

interface Source {
  readonly source: string;
  readonly where: string;
}

function sourceOf(
  selection: ReplaySelection,
  cursor: string | undefined,
  limit: number,
  values: Values,
): Source {
  const behind = cursor === undefined ? [] : [idBound('>', cursor, values)];
  if ('ids' in selection)
    return { source: 'events e', where: whereAll([...behind, idsOf(selection.ids, values)]) };
  const { filter } = selection;
  const bounds = [...behind, ...timeBounds(timeOf(filter), values)];
  const matches = matchesOf(equalOf(filter), values);
  if (filter.key !== undefined) {
    const all = [...bounds, ...matches].map((condition) => `AND ${condition}`).join(' ');
    return { source: keySource(filter.key, all, 'first', limit, values), where: '' };
  }
  return {
    source: `(SELECT * FROM events ${whereAll(bounds)} ORDER BY id LIMIT ${ROWS_OF_PAGE_MAX}) e`,
    where: whereAll(matches),
  };
}

/** All of it, in no order. */
function wholeOf(selection: ReplaySelection, values: Values): Source {
  if ('ids' in selection) return { source: 'events e', where: whereAll([idsOf(selection.ids, values)]) };
  const { filter } = selection;
  const all = [...timeBounds(timeOf(filter), values), ...matchesOf(equalOf(filter), values)];
  if (filter.key === undefined) return { source: 'events e', where: whereAll(all) };
  const conditions = all.map((condition) => `AND ${condition}`).join(' ');
  return { source: keySource(filter.key, conditions, 'any', COUNTED_MAX, values), where: '' };
}

/** Where a page ends that has read all the rows that it may; undefined at the end of the table. */
async function endOfRows(
  client: Queryable,
  selection: ReplaySelection,
  cursor: string | undefined,
): Promise<string | undefined> {
  if ('ids' in selection || selection.filter.key !== undefined) return undefined;
  const values = new Values();
  const bounds = [
    ...(cursor === undefined ? [] : [idBound('>', cursor, values)]),
    ...timeBounds(timeOf(selection.filter), values),
  ];
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM events ${whereAll(bounds)} ORDER BY id OFFSET ${ROWS_OF_PAGE_MAX - 1} LIMIT 1`,
    values.all,
  );
  return rows[0]?.id;
}

function idsOf(ids: readonly string[], values: Values): string {
  return `id = ANY (${values.add(ids)}::uuid[])`;
}

function timeOf({ from, to }: Filter) {
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

function equalOf({ endpoint, kind, key, status }: Filter) {
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(kind === undefined ? {} : { kind }),
    ...(key === undefined ? {} : { key }),
    ...(status === undefined ? {} : { status }),
  };
}

function bounded<T>(pool: Pool, work: (client: Queryable) => Promise<T>): Promise<T> {
  return inTransaction(pool, async (client) => {
    await client.query(
      `SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = ${STATEMENT_MS_MAX}; SET LOCAL max_parallel_workers_per_gather = 0`,
    );
    return work(client);
  });
}
