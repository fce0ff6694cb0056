/**
 * The payments of a batch, locked until the transaction ends.
 *
 * In the order of the primary key, so that two batches with payments in common wait for one another and never form a
 * deadlock. A payment that does not exist yet cannot be locked: if another transaction adds it meanwhile, the write
 * meets a unique violation.
 *
 * LATERAL holds the planner to one look in the index for each payment. As a join it read the whole table while that was
 * small (5,500 rows), and may again where statistics lag behind growth; with 50,000 rows and fresh statistics both forms
 * look in the index, 5.8 ms against 5.1 for 500 payments.
 *
 * $1 endpoints text[], $2 ids text[]
 */
export const LOCK_PAYMENTS = `
SELECT p.endpoint, p.id, p.status, p.amount, p.currency, p.transaction_id, p.transaction_type, p.version
FROM (
  SELECT * FROM unnest($1::text[], $2::text[]) AS u (endpoint, id)
  ORDER BY endpoint COLLATE "C", id COLLATE "C"
) k,
LATERAL (SELECT * FROM payments WHERE endpoint = k.endpoint AND id = k.id FOR UPDATE) p`;

export interface LockedPaymentRow {
  readonly endpoint: string;
  readonly id: string;
  readonly status: string;
  /** A bigint as text. */
  readonly amount: string | null;
  readonly currency: string | null;
  readonly transaction_id: string | null;
  readonly transaction_type: string | null;
  readonly version: number;
}
