/**
 * Writes what a batch does, in one statement, and says how many rows it wrote.
 *
 * A race cannot pass. An event that somebody else added is a unique violation. A payment that somebody else added or
 * changed has another version than was read, so that fewer rows are written than asked for: the caller compares.
 *
 * Rows are inserted in the order of their primary keys, so that two batches with messages in common wait for one
 * another instead of forming a deadlock; `seq` is drawn before the sort, in the order of the messages.
 *
 * The bodies come as one bytea, cut up here: an array of bytea would travel as hexadecimal text, twice the bytes
 * and built by the worker's thread.
 *
 * Events:    $1 ids uuid[], $2 endpoints text[], $3 kinds text[], $4 keys text[], $5 dedupe keys text[],
 *            $6 statuses text[], $7 reported statuses text[], $8 traceparents text[],
 *            $9 received at, milliseconds since the epoch, float8[], $10 starts (from 1) and $11 lengths int[] in
 *            $12 bodies bytea
 * Payments:  $13 endpoints text[], $14 ids text[], $15 statuses text[], $16 amounts bigint[], $17 currencies text[],
 *            $18 transaction ids text[], $19 transaction types text[], $20 versions int[] (one more than was read; 1: a
 *            new payment), $21 new history, jsonb: an array of arrays
 * Blacklist: $22 endpoints text[], $23 payment ids text[], $24 transaction ids text[], $25 reason codes text[], $26 IBANs
 *            text[], $27 sealed ones and $28 their indexes, hexadecimal text[]: of each entry those, these, or none
 */

/** The most entries of a payment's history that are kept: the latest. */
export const HISTORY_ENTRIES_MAX = 100;

export const WRITE_EFFECTS = `
WITH message AS (
  SELECT nextval('events_seq') AS seq, m.*
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
      $9::float8[], $10::int[], $11::int[])
    AS m (id, endpoint, kind, key, dedupe, status, reported_status, traceparent, received_at, start, length)
),
event AS (
  INSERT INTO events (seq, id, endpoint, kind, key, dedupe, status, reported_status, traceparent, received_at, payload)
  SELECT seq, id, endpoint, kind, key, dedupe, status, reported_status, traceparent,
    to_timestamp(received_at / 1000), substring($12::bytea FROM start FOR length)
  FROM message
  ORDER BY dedupe COLLATE "C", endpoint COLLATE "C"
  RETURNING 1
),
payment AS (
  INSERT INTO payments AS p
    (endpoint, id, status, amount, currency, transaction_id, transaction_type, version, history)
  SELECT *
  FROM ROWS FROM (
      unnest($13::text[], $14::text[], $15::text[], $16::bigint[], $17::text[], $18::text[], $19::text[], $20::int[]),
      jsonb_array_elements($21::jsonb))
    AS c (endpoint, id, status, amount, currency, transaction_id, transaction_type, version, history)
  ORDER BY endpoint COLLATE "C", id COLLATE "C"
  ON CONFLICT (endpoint, id) DO UPDATE
  SET status = excluded.status, amount = excluded.amount, currency = excluded.currency,
    transaction_id = excluded.transaction_id, transaction_type = excluded.transaction_type,
    version = excluded.version, updated_at = now(),
    history = CASE
      WHEN jsonb_array_length(p.history) + jsonb_array_length(excluded.history) <= ${HISTORY_ENTRIES_MAX}
        THEN p.history || excluded.history
      ELSE (
        SELECT jsonb_agg(e.entry ORDER BY e.n)
        FROM jsonb_array_elements(p.history || excluded.history) WITH ORDINALITY AS e (entry, n)
        WHERE e.n > jsonb_array_length(p.history) + jsonb_array_length(excluded.history) - ${HISTORY_ENTRIES_MAX})
      END
  WHERE p.version = excluded.version - 1
  RETURNING 1
),
listed AS (
  INSERT INTO blacklist (endpoint, payment_id, transaction_id, reason_code, iban, iban_sealed, iban_index)
  SELECT endpoint, payment_id, transaction_id, reason_code, iban, decode(sealed, 'hex'), decode(index, 'hex')
  FROM unnest($22::text[], $23::text[], $24::text[], $25::text[], $26::text[], $27::text[], $28::text[]) WITH ORDINALITY
    AS b (endpoint, payment_id, transaction_id, reason_code, iban, sealed, index, n)
  ORDER BY coalesce(iban, index) COLLATE "C",
    CASE WHEN coalesce(iban, index) IS NULL THEN endpoint END COLLATE "C",
    CASE WHEN coalesce(iban, index) IS NULL THEN payment_id END COLLATE "C",
    n
  ON CONFLICT DO NOTHING
  RETURNING 1
)
SELECT (SELECT count(*) FROM event)::int AS events,
  (SELECT count(*) FROM payment)::int AS payments,
  (SELECT count(*) FROM listed)::int AS blacklisted`;

export interface WrittenRow {
  readonly events: number;
  readonly payments: number;
  /** New entries of the blacklist; those that were on it are not counted. */
  readonly blacklisted: number;
}
