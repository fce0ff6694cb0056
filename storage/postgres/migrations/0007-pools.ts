import type { Migration } from './migration.js';

/** What operators change while nodes run, and who changed what. */
export const pools: Migration = {
  version: 7,
  name: 'pools',
  sql: `
    -- Never the same twice, though rows come and go.
    CREATE SEQUENCE pool_settings_version;

    -- A row for each actor type whose pool is not as the configuration says.
    CREATE TABLE pool_settings (
      actor text COLLATE "C" PRIMARY KEY,
      -- Those that were set: min, max, batchMax, lingerMs, inFlightMax.
      settings jsonb NOT NULL,
      paused boolean NOT NULL DEFAULT false,
      -- Of the last change, and of the last pause or resume (0: none): by these nodes see what is new.
      version bigint NOT NULL,
      pause_version bigint NOT NULL DEFAULT 0,
      changed_at timestamptz NOT NULL DEFAULT now(),
      changed_by text NOT NULL
    );

    -- Written once, never changed.
    CREATE TABLE audit (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at timestamptz NOT NULL,
      client text COLLATE "C" NOT NULL,
      action text COLLATE "C" NOT NULL,
      target text NOT NULL,
      before jsonb,
      after jsonb
    );
    CREATE INDEX audit_at ON audit (at);
  `,
};
