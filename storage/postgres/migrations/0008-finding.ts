import type { Migration } from './migration.js';

/**
 * What the people on call look for: dead letters in bulk, and one event among all.
 *
 * What the indexes on `events` cost for each message, beside `events_pkey`:
 * - `events_by_id`: one insertion of 16 bytes, about 30 with its head. Ids are UUIDs of version 7 and rise with time, so it
 *   goes to the rightmost page, which is in memory; nothing is read for it, unlike for an index at random places.
 *   It finds a message by id, and is the order of all lists: the newest first, of a time, page after page.
 * - `events_by_other_key`: nothing but the look at its condition for nearly every message. The events of a payment are found by the
 *   prefix of `dedupe`, which holds its id. A chargeback in the legacy form has its own id there, an id
 *   with a colon is written otherwise there: these are found by this one.
 *
 * Rejected: an index on `key`, on `(status, id)` and on `(kind, id)`. Each would be an insertion at a random place of a table that
 * outgrows memory. A search by status or kind reads a bounded part of `events_by_id` instead, page after page.
 *
 * Measured with 1.5 million rows: 34 bytes a row for `events_by_id` beside 113 for the primary key, 8 KiB in all for the other; the
 * rate of insertion differs by less than it does from run to run. A build takes 2.9 s for each million.
 *
 * On a table that has rows, `events` takes no new ones while its index is built: about a minute for 20 million. Webhooks are
 * acknowledged meanwhile; they wait on the log.
 */
export const finding: Migration = {
  version: 8,
  name: 'finding',
  sql: `
    ALTER TABLE dead_letters ADD COLUMN dropped_at bigint, ADD COLUMN dropped_by text;
    ALTER TABLE dead_letters DROP CONSTRAINT dead_letters_state;
    -- Nodes of the release before write here too, and know nothing of what is dropped.
    ALTER TABLE dead_letters ADD CONSTRAINT dead_letters_state CHECK (
      (state = 'waiting' AND replayed_at IS NULL)
      OR (state = 'replayed' AND replayed_at IS NOT NULL)
      OR (state = 'dropped' AND replayed_at IS NULL AND dropped_at IS NOT NULL AND dropped_by IS NOT NULL)
    );
    CREATE INDEX dead_letters_to_replay ON dead_letters (id) WHERE state = 'waiting';

    CREATE INDEX events_by_id ON events (id);
    CREATE INDEX events_by_other_key ON events (key) WHERE split_part(dedupe, ':', 2) <> key;
  `,
};
