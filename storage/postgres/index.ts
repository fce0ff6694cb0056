/** Postgres for the folders to the right: a server, connections, the schema, dead letters, snapshots, reminders. */
import type { StoreModule } from '../../runtime/stores/store-module.js';
import type { SnapshotsModuleSettings } from './snapshots-module.js';

export { type AuditFilter, type AuditRecord, AuditTable, type StoredAudit } from './audit.js';
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
export { EndpointsTable, type SavedEndpoint } from './endpoints.js';
export {
  PostgresConflictError,
  PostgresQueryError,
  PostgresUnavailableError,
  toPostgresError,
} from './errors.js';
export { holdEpochs, raiseEpochs } from './fence.js';
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
export { PoolSettingsTable, type SavedPool } from './pool-settings.js';
export { createReminderStore } from './reminders.js';
export { readSchemaState, schemaTables } from './schema-state.js';
export { createSnapshotStore } from './snapshots.js';
export type { SnapshotsModuleSettings } from './snapshots-module.js';
export { type NewToken, type StoredToken, Tokens } from './tokens.js';

/** For worker threads: each opens connections of its own. It holds the password: never for a log. */
export function postgresSnapshots(settings: SnapshotsModuleSettings): StoreModule {
  return { module: new URL('./snapshots-module.js', import.meta.url).href, settings };
}
