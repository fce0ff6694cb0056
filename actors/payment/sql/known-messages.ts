/**
 * Which messages of a batch have an event already: their positions, from 1.
 *
 * A statement of its own, after the payments are locked: in READ COMMITTED it sees what a transaction committed that we
 * waited for. In one statement with the lock it would see the state before the wait, and a message handled by
 * another worker meanwhile would cost a failed write and another try.
 *
 * LATERAL with OFFSET 0 keeps the planner at the index: see `lock-payments.ts`.
 *
 * $1 dedupe keys text[], $2 endpoints text[]
 */
export const KNOWN_MESSAGES = `
SELECT k.position::int AS position
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (dedupe, endpoint, position),
LATERAL (SELECT FROM events WHERE dedupe = k.dedupe AND endpoint = k.endpoint OFFSET 0) e`;

export interface KnownMessageRow {
  readonly position: number;
}
