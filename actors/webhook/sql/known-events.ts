/**
 * Which messages of a batch have an event already: their positions, from 1.
 *
 * LATERAL with OFFSET 0 keeps the planner at the primary key, whatever the statistics say.
 *
 * $1 dedupe keys text[], $2 endpoints text[]
 */
export const KNOWN_EVENTS = `
SELECT k.position::int AS position
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (dedupe, endpoint, position),
LATERAL (SELECT FROM events WHERE dedupe = k.dedupe AND endpoint = k.endpoint OFFSET 0) e`;

export interface KnownEventRow {
  readonly position: number;
}
