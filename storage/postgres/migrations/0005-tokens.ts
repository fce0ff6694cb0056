import type { Migration } from './migration.js';

/** Bearer tokens of clients. A token is 256 random bits, so its plain SHA-256 cannot be turned back. */
export const tokens: Migration = {
  version: 5,
  name: 'tokens',
  sql: `
    CREATE TABLE tokens (
      id uuid PRIMARY KEY,
      -- Whose uploads it sees; several tokens may be of one client.
      client text COLLATE "C" NOT NULL,
      -- For people.
      note text NOT NULL DEFAULT '',
      hash bytea NOT NULL UNIQUE,
      scopes text[] NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz,
      revoked_at timestamptz,
      -- To the minute.
      used_at timestamptz
    );
  `,
};
