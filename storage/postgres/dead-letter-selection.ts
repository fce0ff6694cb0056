/** A selection of dead letters as SQL, and what it comes to. */
import type {
  DeadLetterMark,
  DeadLetterSelection,
  DeadLetterState,
  DeadLetterSummary,
} from '../../runtime/stores/dead-letter.js';
import { SUMMARY_ROWS_MAX } from '../dead-letter-limits.js';
import { isUuid } from '../uuid.js';
import { escapeNul, replaceNul } from './columns.js';

/** Written out: the planner uses the indexes of the waiting ones only when it sees the state. */
const STATES: Readonly<Record<DeadLetterState, string>> = {
  waiting: `state = 'waiting'`,
  replayed: `state = 'replayed'`,
  dropped: `state = 'dropped'`,
};

/** `after`: only what stands behind it in the order of deaths. */
export function where(
  selection: DeadLetterSelection,
  after?: DeadLetterMark,
): { readonly sql: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const add = <Value>(
    value: Value | undefined,
    sql: (parameter: string) => string,
    as: (value: Value) => unknown,
  ) => {
    if (value === undefined) return;
    values.push(as(value));
    conditions.push(sql(`$${values.length}`));
  };
  add(
    selection.ids,
    (p) => `id = ANY (${p}::uuid[])`,
    (ids) => ids.filter(isUuid),
  );
  add(selection.actor, (p) => `actor = ${p}`, escapeNul);
  add(selection.key, (p) => `key = ${p}`, escapeNul);
  add(
    selection.endpoint,
    (p) => `starts_with(key, ${p})`,
    (endpoint) => `${escapeNul(endpoint)}:`,
  );
  add(selection.code, (p) => `cause_code = ${p}`, replaceNul);
  // Of a fraction of a millisecond nothing is kept.
  add(selection.deadFrom, (p) => `dead_at >= ${p}`, Math.ceil);
  add(selection.deadBefore, (p) => `dead_at < ${p}`, Math.ceil);
  if (selection.state !== undefined) conditions.push(STATES[selection.state]);
  if (after !== undefined) {
    values.push(Math.trunc(after.deadAt), isUuid(after.id) ? after.id : null);
    conditions.push(`(dead_at, id) > ($${values.length - 1}, $${values.length}::uuid)`);
  }
  return { sql: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, values };
}

/** What is counted is read once. */
export const SUMMARY = (condition: string): string => `
  WITH chosen AS MATERIALIZED (
    SELECT actor, key, cause_code, attempts, dead_at FROM dead_letters ${condition}
  )
  SELECT
    (SELECT count(*) FROM chosen)::float8 AS total,
    (SELECT count(*) FROM (SELECT DISTINCT actor, key FROM chosen) k)::float8 AS keys,
    (SELECT min(dead_at) FROM chosen)::float8 AS oldest,
    (SELECT max(dead_at) FROM chosen)::float8 AS latest,
    (SELECT coalesce(jsonb_agg(c), '[]') FROM (
      SELECT cause_code AS code, count(*) AS count, count(*) FILTER (WHERE attempts <= 1) AS "atOnce"
      FROM chosen GROUP BY cause_code ORDER BY count(*) DESC, cause_code LIMIT ${SUMMARY_ROWS_MAX}) c) AS codes,
    (SELECT coalesce(jsonb_agg(a), '[]') FROM (
      SELECT actor, count(*) AS count
      FROM chosen GROUP BY actor ORDER BY count(*) DESC, actor LIMIT ${SUMMARY_ROWS_MAX}) a) AS actors`;

export interface SummaryRow {
  readonly total: number;
  readonly keys: number;
  readonly oldest: number | null;
  readonly latest: number | null;
  readonly codes: DeadLetterSummary['codes'];
  readonly actors: DeadLetterSummary['actors'];
}

export function readSummary(row: SummaryRow | undefined): DeadLetterSummary {
  if (row === undefined) throw new TypeError('a SELECT of one row that returned none');
  return { ...row, oldest: row.oldest ?? undefined, latest: row.latest ?? undefined };
}
