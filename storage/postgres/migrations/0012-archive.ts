import type { Migration } from './migration.js';

/**
 * Payloads outside of Postgres: which segment of the object store has one, and where in it. See `actors/archive/format.ts`.
 *
 * `events_to_archive` holds what is to be archived and nothing else, in the order in which it becomes so. A message costs it one insertion at the
 * end, as `events_by_id` does: the page is in memory and nothing is read. Measured with a million rows: 22 bytes a row, and 1 to 3 us of a core
 * beside the 13 to 17 that a row costs without it. Whatever commits late, and however late,
 * is in it: nothing has to be known of transactions that still run, and nothing is passed over. It shrinks as payloads leave.
 *
 * Rejected: a cursor over `events_by_id` without an index of its own. A message that takes effect long after it was accepted (a dead letter
 * that is replayed) stands behind the cursor, so all of the table would have to be read again and again to find the few. An index
 * on `seq` costs the same and says nothing of age. A BRIN index is all but free, until rows move: those that were archived are
 * new versions in the places of others, and soon every range holds all times.
 *
 * Five columns that are null cost nothing: the row's bitmap has room for them. An archived row is written anew, without its payload: one insertion
 * more into `events_pkey` and `events_by_id` each, by the archive and not on the way of a message. So vacuum has something to clean now, and does
 * it by fiftieths of the table, as it freezes.
 *
 * On a table that has rows, `events` takes no new ones while the index is built: 1.5 to 2 s for each million.
 */
export const archive: Migration = {
  version: 12,
  name: 'archive',
  sql: `
    CREATE TABLE archive_segments (
      -- UUID version 7.
      id uuid PRIMARY KEY,
      state text COLLATE "C" NOT NULL CHECK (state IN ('writing', 'written', 'dropping', 'expired')),
      -- Version of its bytes.
      format integer NOT NULL,
      object_key text COLLATE "C" NOT NULL,
      events integer NOT NULL,
      -- Of the object, and of the payloads before they were compressed.
      bytes bigint NOT NULL,
      payload_bytes bigint NOT NULL,
      -- Of all of the object but its last 32 bytes, which are this.
      sha256 bytea NOT NULL,
      -- When the first and the last of its events took effect.
      oldest timestamptz NOT NULL,
      newest timestamptz NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      -- When its events began to refer to it.
      written_at timestamptz,
      -- When its object was seen to be gone from the store.
      removed_at timestamptz
    );
    CREATE INDEX archive_segments_by_age ON archive_segments (state, newest);

    ALTER TABLE events
      ADD COLUMN segment uuid,
      -- Of the object: where the block with the payload begins, and how long it is.
      ADD COLUMN block_at integer,
      ADD COLUMN block_length integer,
      -- The same of the payload in the block.
      ADD COLUMN payload_at integer,
      ADD COLUMN payload_length integer,
      SET (autovacuum_vacuum_scale_factor = 0.02);
    CREATE INDEX events_to_archive ON events (processed_at) WHERE payload IS NOT NULL AND status <> 'delayed';
  `,
};
