/** Postgres for the folders to the right: a server, connections, the schema, dead letters. */
export { createDeadLetterStore } from './dead-letters.js';
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded.js';
export { embeddedPostgresUrl } from './embedded-address.js';
export { PASSWORD_FILE } from './embedded-directory.js';
export {
  EmbeddedPostgresAccountError,
  EmbeddedPostgresBusyError,
  EmbeddedPostgresDirectoryError,
  EmbeddedPostgresExitedError,
  EmbeddedPostgresStartError,
  EmbeddedPostgresUnsupportedError,
  EmbeddedPostgresVersionError,
} from './embedded-errors.js';
export {
  PostgresConflictError,
  PostgresQueryError,
  PostgresUnavailableError,
  toPostgresError,
} from './errors.js';
export {
  type MigrateOptions,
  type MigrateResult,
  MigrationChangedError,
  migrate,
  SchemaNewerError,
} from './migrate.js';
export {
  createPool,
  inTransaction,
  type Pool,
  type PooledConnection,
  type PoolOptions,
  type Queryable,
} from './pool.js';
