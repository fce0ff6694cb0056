import type { Migration } from './migration.js';

/**
 * Replays of events (`actors/replay/`), a row each, and a better index for who looks for a webhook's key.
 *
 * `replays` is small: at most 100 are open at a time, and who looks at one has its id. Rows of those that are over stay, as those of the audit log.
 *
 * `events_by_key` takes the place of `events_by_other_key` of migration 8. Of EMP it has the same rows. Of other senders it has all, also those
 * whose deduplication key has the key of the event in its second part: these were found by nothing. `id` behind the key gives the events of a key
 * in their order, page after page, without a sort. The number of insertions for a message is the same as before.
 *
 * On a table that has rows, `events` takes no new ones while the index is built: with nearly all rows of EMP it is one reading of the
 * table. Webhooks are acknowledged meanwhile; they wait on the log.
 */
export const replays: Migration = {
  version: 13,
  name: 'replays',
  sql: `
    CREATE TABLE replays (
      id uuid PRIMARY KEY,
      state text NOT NULL CHECK (state IN ('waiting', 'running', 'paused', 'done', 'cancelled', 'failed')),
      -- { ids } or { filter }, as it was asked for; a filter ends where the replay was made.
      selection jsonb NOT NULL,
      -- An actor, or forward:<target>; null: the routes of the endpoints.
      target text,
      forced boolean NOT NULL,
      -- Events a second, at most.
      rate integer NOT NULL CHECK (rate > 0),
      -- The last event that was looked at.
      cursor uuid,
      -- Of the selection when the replay was made; null when counting took too long.
      total bigint,
      -- Events that were told to somebody, and how many deliveries that came to.
      told bigint NOT NULL DEFAULT 0,
      deliveries bigint NOT NULL DEFAULT 0,
      -- { reason: events }
      left_out jsonb NOT NULL DEFAULT '{}',
      worked_ms bigint NOT NULL DEFAULT 0,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      created_by text NOT NULL,
      started_at timestamptz,
      ended_at timestamptz,
      -- Why it failed.
      reason text
    );
    CREATE INDEX replays_open ON replays (state) WHERE state IN ('waiting', 'running', 'paused');

    DROP INDEX events_by_other_key;
    CREATE INDEX events_by_key ON events (key, id) WHERE meta IS NOT NULL OR split_part(dedupe, ':', 2) <> key;
  `,
};
