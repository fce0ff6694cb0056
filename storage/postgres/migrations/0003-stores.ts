import type { Migration } from './migration.js';

/**
 * Snapshots of actors' states, and reminders.
 *
 * `owner` is a SHA-256 of actor and key (`storage/record-id.ts`). The texts themselves cannot be the primary key: a key may be
 * longer than the 2,700 bytes that an entry of an index holds. So nothing is indexed by key; who looks for one
 * by hand scans the table.
 */
export const stores: Migration = {
  version: 3,
  name: 'stores',
  sql: `
    CREATE TABLE snapshots (
      owner bytea PRIMARY KEY,
      actor text COLLATE "C" NOT NULL,
      key text COLLATE "C" NOT NULL,
      -- Of the form of the state; the actor's.
      version bigint NOT NULL,
      state bytea NOT NULL,
      -- The last message that the state contains: log, partition and offset, or none of the three.
      log text COLLATE "C",
      log_partition integer,
      log_offset bigint,
      saved_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT snapshots_position CHECK (num_nulls(log, log_partition, log_offset) IN (0, 3))
    ) WITH (
      -- Written again and again: the new version finds room beside the old one, and the index need not change.
      fillfactor = 75,
      autovacuum_vacuum_scale_factor = 0.05
    );

    CREATE TABLE reminders (
      owner bytea NOT NULL,
      name text COLLATE "C" NOT NULL,
      actor text COLLATE "C" NOT NULL,
      key text COLLATE "C" NOT NULL,
      -- Milliseconds since the epoch, as in a message's id.
      due_at bigint NOT NULL,
      every_ms bigint CHECK (every_ms > 0),
      body bytea NOT NULL,
      PRIMARY KEY (owner, name)
    ) WITH (
      autovacuum_vacuum_scale_factor = 0.05
    );
    -- What is due next. It changes with each schedule, so that no change of a reminder is HOT.
    CREATE INDEX reminders_due ON reminders (due_at);
  `,
};
