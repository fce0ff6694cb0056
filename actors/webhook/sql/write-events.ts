/**
 * Writes the events of a batch. One that somebody else added meanwhile is a unique violation.
 *
 * In the order of the primary key, so that two batches with messages in common wait for one another instead of forming a deadlock; `seq`
 * is drawn before the sort, in the order of the messages. The bodies come as one bytea: an array of bytea would travel as hexadecimal text.
 *
 * $1 ids uuid[], $2 endpoints text[], $3 kinds text[], $4 keys text[], $5 dedupe keys text[], $6 statuses text[], $7 traceparents text[],
 * $8 received at, milliseconds since the epoch, float8[], $9 meta, text[] of JSON, $10 starts (from 1) and $11 lengths int[] in $12 bodies bytea
 */
export const WRITE_EVENTS = `
WITH message AS (
  SELECT nextval('events_seq') AS seq, m.*
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::float8[], $9::text[],
      $10::int[], $11::int[])
    AS m (id, endpoint, kind, key, dedupe, status, traceparent, received_at, meta, start, length)
)
INSERT INTO events (seq, id, endpoint, kind, key, dedupe, status, traceparent, received_at, meta, payload)
SELECT seq, id, endpoint, kind, key, dedupe, status, traceparent, to_timestamp(received_at / 1000), meta::jsonb,
  substring($12::bytea FROM start FOR length)
FROM message
ORDER BY dedupe COLLATE "C", endpoint COLLATE "C"`;
