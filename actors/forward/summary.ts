/** What waits for each target, for people: of the table `forwards` the oldest rows, so that a table of millions costs what one of thousands does. */
import { replaceNul, unescapeNul } from '../../storage/postgres/columns.js';
import type { Queryable } from '../../storage/postgres/pool.js';

export interface TargetBacklog {
  readonly target: string;
  /** Deliveries, of the `BACKLOG_ROWS_MAX` oldest of all targets. */
  readonly waiting: number;
  /** When the first attempt of the oldest was, and when the next of any is; milliseconds since the epoch. */
  readonly since: number;
  readonly dueAt: number;
  /** How the latest attempt that failed ended; empty when none was made yet. */
  readonly reason: string;
}

export const BACKLOG_ROWS_MAX = 10_000;

interface Row {
  readonly target: string;
  readonly waiting: number;
  readonly since: string;
  readonly due_at: string;
  readonly reason: string | null;
}

const BACKLOGS = `
SELECT split_part(key, ':', 1) AS target, count(*)::int AS waiting, min(since) AS since, min(due_at) AS due_at,
  (array_agg(reason ORDER BY seq DESC) FILTER (WHERE reason <> ''))[1] AS reason
FROM (SELECT seq, key, since, due_at, reason FROM forwards ORDER BY seq LIMIT ${BACKLOG_ROWS_MAX}) AS oldest
GROUP BY 1 ORDER BY 1`;

/** Of each target that something waits for, whether or not it is one any more. */
export async function backlogsByTarget(pool: Queryable): Promise<readonly TargetBacklog[]> {
  const { rows } = await pool.query<Row>(BACKLOGS);
  return rows.map(({ target, waiting, since, due_at, reason }) => ({
    target: unescapeNul(target),
    waiting,
    since: Number(since),
    dueAt: Number(due_at),
    reason: replaceNul(reason ?? ''),
  }));
}
