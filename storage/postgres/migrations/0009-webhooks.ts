import type { Migration } from './migration.js';

/**
 * `events` for webhooks of any sender: kinds and statuses are no closed set any more, and a row says what else the gateway read of its message.
 *
 * On a table that has rows nothing is read and nothing is rewritten: a check is dropped, a column is added without a default, another one
 * may be null from now on. Each takes the table's lock for a moment (measured with 300,000 rows: 57 ms for all of the migration, and the file of the table is the same). Rows of EMP are written
 * as before, and no longer: a column that is null costs a bit in the row's head.
 *
 * A generic event costs one insertion more than one of EMP, into `events_by_other_key`: its `dedupe` does not hold its key.
 *
 * Rejected: a check on the new set of statuses (each later release would drop it again), and columns for media type and headers (most
 * rows have none; they are read together or not at all).
 */
export const webhooks: Migration = {
  version: 9,
  name: 'webhooks',
  sql: `
    ALTER TABLE events
      DROP CONSTRAINT events_status_check,
      -- { provider, contentType, id, headers } of a webhook; null for EMP's, whose body says all.
      ADD COLUMN meta jsonb,
      -- Null when the body is elsewhere.
      ALTER COLUMN payload DROP NOT NULL;
  `,
};
