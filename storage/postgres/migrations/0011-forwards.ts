import type { Migration } from './migration.js';

/**
 * Deliveries to targets that wait for their next attempt; see `actors/forward/waiting.ts`.
 *
 * A row is there only while its delivery waits. `forwards_of_key` is the order of a key, and all that is ever asked; the unique one keeps a
 * message that the log gives twice from waiting twice.
 */
export const forwards: Migration = {
  version: 11,
  name: 'forwards',
  sql: `
    CREATE TABLE forwards (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id uuid NOT NULL,
      key text NOT NULL,
      dedupe text NOT NULL,
      received_at bigint NOT NULL,
      traceparent text NOT NULL,
      payload bytea NOT NULL,
      attempts integer NOT NULL,
      since bigint NOT NULL,
      due_at bigint NOT NULL,
      reason text NOT NULL,
      UNIQUE (key, id)
    );
    CREATE INDEX forwards_of_key ON forwards (key, seq);
  `,
};
