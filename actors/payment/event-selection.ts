/**
 * Parts of statements that select rows of `events`: each search and each replay is made of these, so that they mean the same by the same words.
 *
 * Rows of a key are found in two ranges, which have no row in common. Of EMP, what begins so in the primary key: `<kind>:<key>:`. All others by
 * `events_by_key`, whose condition stands here word for word, else the planner would not take it.
 */
import { isUuid } from '../../storage/uuid.js';
import type { Kind } from '../emp/fields.js';

/** What an event is like, each part as a whole. */
export interface EventMatch {
  readonly id?: string;
  /** The payment's id, or what else the key is. */
  readonly key?: string;
  readonly endpoint?: string;
  readonly kind?: string;
  readonly status?: string;
}

/** Of acceptance, milliseconds since the epoch. */
export interface EventTime {
  /** Inclusive. */
  readonly from?: number;
  /** Exclusive. */
  readonly to?: number;
}

const KINDS: readonly Kind[] = ['processing', 'wpf', 'kyc', 'apm'];
/** Behind every text that begins like the one before it, in the order of bytes. */
const LAST_CHARACTER = '\u{10ffff}';
const OTHER_KEY = `(meta IS NOT NULL OR split_part(dedupe, ':', 2) <> key)`;

/** The parameters of a statement. */
export class Values {
  readonly all: unknown[] = [];

  /** Its parameter. */
  add(value: unknown): string {
    this.all.push(value);
    return `$${this.all.length}`;
  }
}

export function whereAll(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
}

export function timeBounds({ from, to }: EventTime, values: Values): readonly string[] {
  return [
    ...(from === undefined ? [] : [`id >= ${values.add(firstIdOf(from))}::uuid`]),
    ...(to === undefined ? [] : [`id < ${values.add(firstIdOf(to))}::uuid`]),
  ];
}

export function idBound(operator: '<' | '>', id: string, values: Values): string {
  return `id ${operator} ${values.add(isUuid(id) ? id : null)}::uuid`;
}

export function matchesOf(
  { id, key, endpoint, kind, status }: EventMatch,
  values: Values,
): readonly string[] {
  const equal = { id, key, endpoint, kind, status };
  return Object.entries(equal).flatMap(([column, value]) =>
    value === undefined ? [] : [`${column} = ${values.add(value)}`],
  );
}

/**
 * The rows whose `dedupe` begins with one of `starts`.
 * @param rest what else holds of a row, and how many of each range: `AND ... ORDER BY ... LIMIT n`
 */
export function dedupeSource(starts: readonly string[], rest: string, values: Values): string {
  const ends = starts.map((start) => start + LAST_CHARACTER);
  // Range by range: as one condition the planner may choose to read all of the table.
  return `SELECT e.* FROM unnest(${values.add(starts)}::text[], ${values.add(ends)}::text[])
      AS r (low, high), LATERAL (SELECT * FROM events WHERE dedupe >= r.low AND dedupe < r.high ${rest}) e`;
}

/**
 * The rows of a key.
 * @param where what else holds of a row: nothing, or `AND ...`
 * @param order `first`: the first `most` in the order of ids are among them; `any`: of each range `most`
 */
export function keySource(
  key: string,
  where: string,
  order: 'first' | 'any',
  most: number,
  values: Values,
): string {
  const starts = KINDS.map((kind) => `${kind}:${key}:`);
  // Those of a payment are few. An order here might lead the planner to read all of `events_by_id`.
  const ofEmp = dedupeSource(
    starts,
    `AND NOT ${OTHER_KEY} ${where} ${order === 'first' ? 'OFFSET 0' : `LIMIT ${most}`}`,
    values,
  );
  const byKey = `SELECT * FROM events WHERE key = ${values.add(key)} AND ${OTHER_KEY} ${where}
      ${order === 'first' ? 'ORDER BY id' : ''} LIMIT ${most}`;
  return `((${ofEmp}) UNION ALL (${byKey})) e`;
}

/** The least UUID of version 7 of a millisecond. */
function firstIdOf(ms: number): string {
  const hex = Math.min(Math.max(Math.ceil(ms), 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
