import type { Migration } from './migration.js';

/** Endpoints that operators made over the API, beside those of the file of each node. */
export const endpoints: Migration = {
  version: 10,
  name: 'endpoints',
  sql: `
    -- Never the same twice, though rows come and go.
    CREATE SEQUENCE endpoints_version;

    CREATE TABLE endpoints (
      name text COLLATE "C" PRIMARY KEY,
      -- An entry as it would stand in a file, without its name; secrets as they were given: themselves, or where they are.
      settings jsonb NOT NULL,
      -- By this nodes see what is new.
      version bigint NOT NULL,
      changed_at timestamptz NOT NULL DEFAULT now(),
      changed_by text NOT NULL
    );
  `,
};
