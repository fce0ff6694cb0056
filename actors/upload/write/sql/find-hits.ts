/**
 * What the tables say about the debtors of a batch: a row for each finding, and none for a debtor about whom they say nothing.
 *
 * `= ANY (array)` goes through an index once for all values of the array; a join with the array descends for each of
 * them. LATERAL with OFFSET 0 keeps the planner from reading all payments for the few debtors that were attempted.
 *
 * One statement, so that all of it is seen at one moment: a debtor that is attempted meanwhile goes from one index to
 * another, and is found in one of them.
 *
 * $1 IBANs text[], $2 those of them to look for in the blacklist, $3 among the attempted: the same or none, $4 BICs of 8 and 11
 * characters text[], $5 e-mail addresses text[], $6 names text[], $7 owner, $8 upload id uuid, $9 statuses after a chargeback text[], $10
 * statuses of a payment that is paid text[]
 */

/** A debtor that was attempted without success is left alone for so long. */
export const ATTEMPT_DAYS = 30;

export const FIND_HITS = `
WITH attempted AS MATERIALIZED (
  SELECT d.iban, d.owner IS NOT DISTINCT FROM $7 AS own, d.upload_id, d.line, p.status, p.created_at
  FROM debtors d
  LEFT JOIN LATERAL (SELECT status, created_at FROM payments WHERE transaction_id = d.transaction_id OFFSET 0) p ON true
  WHERE d.iban = ANY ($3::text[]) AND d.transaction_id IS NOT NULL
)
SELECT 'blacklisted-iban' AS code, iban AS value, NULL::uuid AS upload_id, NULL::float8 AS line
FROM blacklist WHERE iban = ANY ($2::text[])
UNION ALL
SELECT 'blacklisted-bic', bic, NULL, NULL FROM blacklist WHERE bic = ANY ($4::text[])
UNION ALL
SELECT 'blacklisted-email', email, NULL, NULL FROM blacklist WHERE email = ANY ($5::text[])
UNION ALL
SELECT 'blacklisted-name', name, NULL, NULL FROM blacklist WHERE name = ANY ($6::text[])
UNION ALL
SELECT DISTINCT 'charged-back', iban, NULL::uuid, NULL::float8 FROM attempted WHERE status = ANY ($9::text[])
UNION ALL
SELECT DISTINCT 'recovered', iban, NULL::uuid, NULL::float8 FROM attempted WHERE own AND status = ANY ($10::text[])
UNION ALL
SELECT DISTINCT 'attempted-recently', iban, NULL::uuid, NULL::float8
FROM attempted WHERE own AND created_at > now() - interval '${ATTEMPT_DAYS} days'
UNION ALL
SELECT CASE WHEN upload_id = $8 THEN 'duplicate-in-file' ELSE 'duplicate-of-upload' END, iban, upload_id, line
FROM (
  SELECT iban, upload_id, line FROM debtors
  WHERE iban = ANY ($1::text[]) AND owner = $7 AND transaction_id IS NULL
  UNION ALL
  -- On its way: the payment is not known yet.
  SELECT iban, upload_id, line FROM attempted WHERE own AND status IS NULL
) waiting`;

export interface HitRow {
  readonly code: string;
  /** An IBAN, a BIC, an e-mail address or a name. */
  readonly value: string;
  /** Of a duplicate. */
  readonly upload_id: string | null;
  readonly line: number | null;
}
