/**
 * What the tables say about the debtors of a batch: a row for each finding, and none for a debtor about whom they say nothing.
 *
 * `= ANY (array)` goes through an index once for all values of the array; a join with the array descends for each of
 * them. LATERAL with OFFSET 0 keeps the planner from reading all payments for the few debtors that were attempted.
 *
 * One statement, so that all of it is seen at one moment: a debtor that is attempted meanwhile goes from one index to
 * another, and is found in one of them.
 *
 * The last row, of the code `forms`, says in which forms IBANs stood in these tables at that moment: when there was one that was not looked for,
 * the caller looks again (a rotation makes sealed rows of plain ones meanwhile).
 *
 * $1 IBANs to look for among the debtors that wait, $2 in the blacklist, $3 among the attempted, each text[], $4 BICs of 8 and 11
 * characters text[], $5 e-mail addresses text[], $6 names text[], $7 owner, $8 upload id uuid, $9 statuses after a chargeback text[], $10
 * statuses of a payment that is paid text[], $11 to $13 indexes of sealed IBANs, as $1 to $3, each bytea[]
 */
import { formsSql } from '../../../ibans/forms.js';

/** A debtor that was attempted without success is left alone for so long. */
export const ATTEMPT_DAYS = 30;

export const FIND_HITS = `
WITH attempted AS MATERIALIZED (
  SELECT coalesce(d.iban, encode(d.iban_index, 'hex')) AS iban, d.owner IS NOT DISTINCT FROM $7 AS own, d.upload_id, d.line, p.status, p.created_at
  FROM (
    SELECT * FROM debtors WHERE iban = ANY ($3::text[]) AND transaction_id IS NOT NULL
    UNION ALL
    SELECT * FROM debtors WHERE iban_index = ANY ($13::bytea[]) AND transaction_id IS NOT NULL
  ) d
  LEFT JOIN LATERAL (SELECT status, created_at FROM payments WHERE transaction_id = d.transaction_id OFFSET 0) p ON true
)
SELECT 'blacklisted-iban' AS code, iban AS value, NULL::uuid AS upload_id, NULL::float8 AS line
FROM blacklist WHERE iban = ANY ($2::text[])
UNION ALL
SELECT 'blacklisted-iban', encode(iban_index, 'hex'), NULL, NULL FROM blacklist WHERE iban_index = ANY ($12::bytea[])
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
  SELECT encode(iban_index, 'hex'), upload_id, line FROM debtors
  WHERE iban_index = ANY ($11::bytea[]) AND owner = $7 AND transaction_id IS NULL
  UNION ALL
  -- On its way: the payment is not known yet.
  SELECT iban, upload_id, line FROM attempted WHERE own AND status IS NULL
) waiting
UNION ALL
SELECT 'forms', jsonb_build_object('waiting', ${formsSql('waiting')}, 'listed', ${formsSql('listed')}, 'attempted', ${formsSql('attempted')})::text, NULL, NULL`;

export interface HitRow {
  readonly code: string;
  /** An IBAN or its index, a BIC, an e-mail address or a name. */
  readonly value: string;
  /** Of a duplicate. */
  readonly upload_id: string | null;
  readonly line: number | null;
}
