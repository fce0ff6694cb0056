import type { Migration } from './migration.js';

/**
 * IBANs that are encrypted at rest: in `iban_sealed`, with a blind index in `iban_index`, and NULL in `iban`. See `actors/ibans/`.
 *
 * Rows of both forms stand side by side for as long as it takes: nodes without keys go on writing plain ones, nodes of the release before as
 * well, and `tether ibans seal` makes sealed ones of them. That release goes on and starts again on
 * this schema: its statements are in `actors/ibans/previous-release.test.ts`.
 *
 * What an index costs a sealed row: one insertion into `debtors_waiting_sealed`, at a random place, in place of the one into `debtors_waiting`. That one
 * is made anew so that a sealed row leaves no entry in it. `blacklist_payment` is made anew so that a sealed entry is not taken for one
 * without an IBAN.
 *
 * On a table that has rows, `debtors` is locked while that index is built, 2 to 3 s for each million: uploads wait, and so do webhooks whose
 * chargeback puts somebody on the blacklist; others do not. The other indexes have no row yet: each is one reading of the table. The checks are not made of rows
 * that are there: none has what they speak of.
 *
 * Rejected: the index first, when reads could go on. Whoever has read `debtors` and waits to write would stand against us, who wait to
 * change it: a deadlock.
 */
export const sealedIbans: Migration = {
  version: 14,
  name: 'sealed-ibans',
  readableFrom: 13,
  sql: `
    ALTER TABLE debtors
      ALTER COLUMN iban DROP NOT NULL,
      -- Version, key id, nonce, ciphertext, tag: actors/ibans/seal.ts.
      ADD COLUMN iban_sealed bytea,
      -- 4 bytes that say which key, 16 of the HMAC.
      ADD COLUMN iban_index bytea,
      ADD CONSTRAINT debtors_iban CHECK (num_nonnulls(iban, iban_sealed) < 2 AND num_nulls(iban_sealed, iban_index) IN (0, 2)) NOT VALID;
    ALTER TABLE blacklist
      ADD COLUMN iban_sealed bytea,
      ADD COLUMN iban_index bytea,
      ADD CONSTRAINT blacklist_sealed CHECK (num_nonnulls(iban, iban_sealed) < 2 AND num_nulls(iban_sealed, iban_index) IN (0, 2)) NOT VALID;

    CREATE UNIQUE INDEX debtors_waiting_sealed ON debtors (iban_index, owner) WHERE transaction_id IS NULL AND iban_index IS NOT NULL;
    CREATE INDEX debtors_attempted_sealed ON debtors (iban_index) WHERE transaction_id IS NOT NULL AND iban_index IS NOT NULL;
    CREATE UNIQUE INDEX blacklist_iban_sealed ON blacklist (iban_index) WHERE iban_index IS NOT NULL;
    CREATE UNIQUE INDEX blacklist_payment_alone ON blacklist (endpoint, payment_id) WHERE iban IS NULL AND iban_index IS NULL;
    CREATE UNIQUE INDEX debtors_waiting_plain ON debtors (iban, owner) WHERE transaction_id IS NULL AND iban IS NOT NULL;
    DROP INDEX blacklist_payment;
    ALTER INDEX blacklist_payment_alone RENAME TO blacklist_payment;
    DROP INDEX debtors_waiting;
    ALTER INDEX debtors_waiting_plain RENAME TO debtors_waiting;
  `,
};
