import type { Migration } from './migration.js';

/**
 * Messages that could not be handled. Operators list those that wait, oldest first, of one actor or of one key.
 * A time in milliseconds is a bigint, as the envelope has it: no conversion loses or shifts anything.
 */
export const deadLetters: Migration = {
  version: 1,
  name: 'dead-letters',
  sql: `
    CREATE TABLE dead_letters (
      id            uuid PRIMARY KEY,
      actor         text NOT NULL,
      key           text NOT NULL,
      dedupe        text NOT NULL,
      received_at   bigint NOT NULL,
      traceparent   text NOT NULL,
      payload       bytea NOT NULL,
      cause_code    text NOT NULL,
      cause_message text NOT NULL,
      cause_stack   text NOT NULL,
      attempts      integer NOT NULL,
      dead_at       bigint NOT NULL,
      state         text NOT NULL DEFAULT 'waiting',
      replayed_at   bigint,
      CONSTRAINT dead_letters_state CHECK (
        (state = 'waiting' AND replayed_at IS NULL) OR (state = 'replayed' AND replayed_at IS NOT NULL)
      )
    );
    CREATE INDEX dead_letters_waiting ON dead_letters (actor, dead_at, id) WHERE state = 'waiting';
    CREATE INDEX dead_letters_by_age ON dead_letters (dead_at, id);
    CREATE INDEX dead_letters_by_key ON dead_letters (key, dead_at);
  `,
};
