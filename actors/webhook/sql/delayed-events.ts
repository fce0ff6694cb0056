/** The events whose time has come, as they were taken. */

/**
 * Locks those that still wait: who comes a second time finds none.
 *
 * $1 dedupe keys text[], $2 endpoints text[]
 */
export const LOCK_DELAYED = `
SELECT e.id, e.endpoint, e.kind, e.key, e.dedupe, e.traceparent, e.meta, e.payload,
  (extract(epoch FROM e.received_at) * 1000)::float8 AS received_at
FROM (
  SELECT * FROM unnest($1::text[], $2::text[]) AS u (dedupe, endpoint)
  ORDER BY dedupe COLLATE "C", endpoint COLLATE "C"
) k,
LATERAL (SELECT * FROM events WHERE dedupe = k.dedupe AND endpoint = k.endpoint AND status = 'delayed' FOR UPDATE) e`;

export interface DelayedEventRow {
  readonly id: string;
  readonly endpoint: string;
  readonly kind: string;
  readonly key: string;
  readonly dedupe: string;
  readonly traceparent: string | null;
  readonly meta: unknown;
  readonly payload: Buffer | null;
  readonly received_at: number;
}

/** $1 dedupe keys text[], $2 endpoints text[], $3 statuses text[] */
export const END_DELAY = `
UPDATE events e SET status = d.status, processed_at = clock_timestamp()
FROM unnest($1::text[], $2::text[], $3::text[]) AS d (dedupe, endpoint, status)
WHERE e.dedupe = d.dedupe AND e.endpoint = d.endpoint`;
