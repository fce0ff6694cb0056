/** Postgres: a server of our own or a configured one, its schema, and what the runtime keeps in it. */
export { createDeadLetterStore, type PostgresDeadLetterStore } from './dead-letters.js';
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded.js';
export { embeddedPostgresUrl } from './embedded-address.js';
export { PostgresConflictError, PostgresQueryError, PostgresUnavailableError } from './errors.js';
export { migrate } from './migrate.js';
export { createPool, inTransaction, type Pool, type PoolOptions } from './pool.js';
