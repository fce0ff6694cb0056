import type { Migration } from './migration.js';

/**
 * Files: what came in (`uploads`), what became of each row (`debtors` for those accepted, `upload_rejects` for the others), and the
 * state of resumable uploads (`tus_uploads`).
 *
 * What the indexes cost for each accepted row: `debtors_pkey` (in order) and `debtors_waiting` (at a random place). The
 * others leave out rows without a `transaction_id`, which all are at first.
 *
 * `payments_transaction_id` is one insertion more for each new payment, at a random place: without it nobody could say what became of
 * a debtor.
 */
export const uploads: Migration = {
  version: 4,
  name: 'uploads',
  sql: `
    CREATE TABLE uploads (
      -- UUID version 7: the order of ids is that of creation.
      id uuid PRIMARY KEY,
      -- The client whose token it was; only it sees the upload.
      owner text COLLATE "C" NOT NULL,
      state text COLLATE "C" NOT NULL CHECK (
        state IN ('receiving', 'stored', 'processing', 'completed', 'failed', 'cancelling', 'cancelled')
      ),
      via text COLLATE "C" NOT NULL CHECK (via IN ('form', 'raw', 'tus', 'direct')),
      -- As the client named it, without what no file may be named; for people only.
      filename text NOT NULL,
      -- By content: text/csv or application/vnd.openxmlformats-officedocument.spreadsheetml.sheet; null while receiving.
      media_type text COLLATE "C",
      object_key text COLLATE "C" NOT NULL,
      -- Of the object store, while parts are put.
      multipart text COLLATE "C",
      -- What has arrived; of a stored upload, the object's size.
      bytes bigint NOT NULL DEFAULT 0,
      -- What the client announced, if it did.
      bytes_expected bigint,
      sha256 bytea,
      -- What the client announced, when the file comes later and past us.
      sha256_expected bytea,
      -- False: kept, and never read.
      process boolean NOT NULL DEFAULT true,
      failure_code text COLLATE "C",
      failure_detail text,
      -- Rows.
      total bigint NOT NULL DEFAULT 0,
      accepted bigint NOT NULL DEFAULT 0,
      invalid bigint NOT NULL DEFAULT 0,
      skipped bigint NOT NULL DEFAULT 0,
      -- How far the object has been read, and what a reader needs to go on there.
      processed_bytes bigint NOT NULL DEFAULT 0,
      checkpoint jsonb,
      -- Counts the changes, from 1: the id of a progress event.
      version bigint NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      stored_at timestamptz,
      -- When it was put on the log; null until then.
      enqueued_at timestamptz,
      started_at timestamptz,
      finished_at timestamptz,
      -- Of the latest change; while receiving, of the latest sign of life.
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT uploads_counts CHECK (total = accepted + invalid + skipped)
    ) WITH (
      -- A row changes for each batch of rows of its file: the new version finds room beside the old one.
      fillfactor = 50,
      autovacuum_vacuum_scale_factor = 0.05
    );
    -- A client's list, the latest first.
    CREATE INDEX uploads_owner ON uploads (owner, id);
    -- What is not over: few, and what a sweep looks through.
    CREATE INDEX uploads_open ON uploads (state) WHERE state IN ('receiving', 'stored', 'processing', 'cancelling');

    CREATE TABLE upload_keys (
      owner text COLLATE "C" NOT NULL,
      -- SHA-256 of the Idempotency-Key.
      key bytea NOT NULL,
      upload_id uuid NOT NULL REFERENCES uploads ON DELETE CASCADE,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (owner, key)
    );
    CREATE INDEX upload_keys_upload ON upload_keys (upload_id);

    CREATE TABLE upload_rejects (
      upload_id uuid NOT NULL,
      -- The file's own, from 1; where a row has several lines, its first.
      line bigint NOT NULL,
      outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('invalid', 'skipped')),
      -- [{code, column, value}], values masked.
      reasons jsonb NOT NULL,
      PRIMARY KEY (upload_id, line)
    );

    CREATE TABLE tus_uploads (
      id uuid PRIMARY KEY,
      owner text COLLATE "C" NOT NULL,
      -- The upload that it becomes; null for a part of a concatenation. Null, and no part: the upload was removed, and a sweep empties the
      -- store of what this row names.
      upload_id uuid REFERENCES uploads ON DELETE SET NULL,
      -- Upload-Metadata as it came.
      metadata text NOT NULL DEFAULT '',
      -- Upload-Length; null while it is deferred.
      length bigint,
      -- Upload-Offset: what is kept.
      received bigint NOT NULL DEFAULT 0,
      -- Upload-Concat: null, partial or final; of a final one, the header as it came.
      concat text COLLATE "C" CHECK (concat IN ('partial', 'final')),
      concat_header text,
      object_key text COLLATE "C" NOT NULL,
      multipart text COLLATE "C",
      -- [{number, bytes, etag}]
      parts jsonb NOT NULL DEFAULT '[]',
      -- What is behind the last part and too short to be one: an object of its own, named by a key that no other writer uses.
      tail_key text COLLATE "C",
      tail_bytes bigint NOT NULL DEFAULT 0,
      -- SHA-256 so far, to go on with.
      hash_state bytea,
      -- What is terminating is given up, and goes out of the object store; what is terminated is only remembered.
      state text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (
        state IN ('open', 'complete', 'terminating', 'terminated')
      ),
      -- One writer at a time. A lease that has run out, and is still here, was its writer's end: the store may have more than this row.
      lease uuid,
      lease_until timestamptz,
      -- Another request asked for the lease in vain.
      lease_wanted boolean NOT NULL DEFAULT false,
      -- When a sweep looks at it; null: never.
      expires_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX tus_uploads_expiry ON tus_uploads (expires_at);
    CREATE INDEX tus_uploads_open ON tus_uploads (upload_id) WHERE state = 'open';
    CREATE INDEX tus_uploads_orphans ON tus_uploads (id)
      WHERE upload_id IS NULL AND concat IS DISTINCT FROM 'partial' AND state IN ('open', 'complete');
    CREATE INDEX tus_uploads_upload ON tus_uploads (upload_id);

    ALTER TABLE debtors
      ADD COLUMN upload_id uuid,
      -- Of the file.
      ADD COLUMN line bigint,
      ADD COLUMN owner text COLLATE "C",
      ADD COLUMN first_name text,
      ADD COLUMN last_name text,
      -- Minor units.
      ADD COLUMN amount bigint,
      ADD COLUMN currency text COLLATE "C",
      ADD COLUMN email text,
      ADD COLUMN phone text,
      ADD COLUMN street text,
      ADD COLUMN postcode text,
      ADD COLUMN city text,
      ADD COLUMN country text COLLATE "C",
      ADD COLUMN national_id text,
      ADD COLUMN birth_date date,
      ADD COLUMN bic text COLLATE "C",
      ADD COLUMN external_reference text,
      -- The columns that Tether does not know, by their header.
      ADD COLUMN extra jsonb,
      ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
      DROP CONSTRAINT debtors_transaction_id_key;
    CREATE UNIQUE INDEX debtors_transaction_id ON debtors (transaction_id) WHERE transaction_id IS NOT NULL;
    -- An IBAN waits once for its owner: an upload that would add another is told so.
    CREATE UNIQUE INDEX debtors_waiting ON debtors (iban, owner) WHERE transaction_id IS NULL;
    -- Earlier debtors of an IBAN that were attempted, whosever they are.
    CREATE INDEX debtors_attempted ON debtors (iban) WHERE transaction_id IS NOT NULL;
    CREATE INDEX payments_transaction_id ON payments (transaction_id) WHERE transaction_id IS NOT NULL;

    -- Beside those of a chargeback, entries made by hand: an IBAN, a BIC, an e-mail address or a name.
    ALTER TABLE blacklist
      ALTER COLUMN endpoint DROP NOT NULL,
      ALTER COLUMN payment_id DROP NOT NULL,
      -- In capitals.
      ADD COLUMN bic text COLLATE "C",
      -- In small letters.
      ADD COLUMN email text COLLATE "C",
      -- First and last name in capitals with one space between, as SEPA writes them.
      ADD COLUMN name text COLLATE "C";
    CREATE UNIQUE INDEX blacklist_bic ON blacklist (bic) WHERE bic IS NOT NULL;
    CREATE UNIQUE INDEX blacklist_email ON blacklist (email) WHERE email IS NOT NULL;
    CREATE UNIQUE INDEX blacklist_name ON blacklist (name) WHERE name IS NOT NULL;
  `,
};
