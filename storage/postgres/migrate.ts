/**
 * Brings a database to this release's schema.
 *
 * Each migration runs in a transaction of its own, together with its row in `tether_migrations`: it happened, or it did not.
 * Nodes that start at once take turns by an advisory lock of the transaction (one of the session would not hold behind
 * pgBouncer); who comes second finds the row and does nothing.
 *
 * | a version is        | in the table        | done                                                               |
 * |---------------------|---------------------|--------------------------------------------------------------------|
 * | in this release     | no                  | applied                                                            |
 * | in this release     | with its checksum   | nothing                                                            |
 * | in this release     | with another one    | `MigrationChangedError`: the schema is not the one the code expects |
 * | not in this release | readable from one   | nothing: a later release has added what this one does not see      |
 * |                     | that is known       |                                                                    |
 * | not in this release | yes, else           | `SchemaNewerError`: this release is older than the database        |
 */
import { createHash } from 'node:crypto';
import { TetherError } from '../../runtime/errors.js';
import type { Logger } from '../../runtime/logger.js';
import { type Migration, migrations as released } from './migrations/index.js';
import { createPool, inTransaction, type Pool, type Queryable } from './pool.js';

/** A migration that was applied has another text now. */
export class MigrationChangedError extends TetherError {
  readonly code = 'TETHER_MIGRATION_CHANGED';
  readonly retryable = false;
}

/** The database was migrated by a later release, to what this one cannot run on. */
export class SchemaNewerError extends TetherError {
  readonly code = 'TETHER_SCHEMA_NEWER';
  readonly retryable = false;
}

export interface MigrateOptions {
  readonly logger: Logger;
  /** Default: those of this release. Versions from 1 without a gap. */
  readonly migrations?: readonly Migration[];
}

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly readableFrom: number | null;
}

export interface MigrateResult {
  /** `0001-dead-letters`, ...: what this call applied, in order. */
  readonly applied: readonly string[];
}

/** Key of the advisory lock: the letters of "tether" as a number, so that no other program takes it by chance. */
const LOCK_KEY = '127970252186994';
const MIGRATION_MS_MAX = 600_000;

/**
 * @param database a pool, whose limit for a statement also limits a migration; or a URL, for ten minutes each
 * @throws MigrationChangedError, SchemaNewerError, and the errors of `inTransaction`
 */
export async function migrate(database: Pool | string, options: MigrateOptions): Promise<MigrateResult> {
  if (typeof database !== 'string') return migrateOn(database, options);
  const pool = createPool({
    url: database,
    connectionsMax: 1,
    applicationName: 'tether migrate',
    logger: options.logger,
    statementMsMax: MIGRATION_MS_MAX,
  });
  try {
    return await migrateOn(pool, options);
  } finally {
    await pool.end();
  }
}

async function migrateOn(
  pool: Pool,
  { logger, migrations = released }: MigrateOptions,
): Promise<MigrateResult> {
  assertOrdered(migrations);
  const applied: string[] = [];
  await inTransaction(pool, async (transaction) => {
    await lock(transaction);
    await transaction.query(
      `CREATE TABLE IF NOT EXISTS tether_migrations (
         version integer PRIMARY KEY,
         name text NOT NULL,
         checksum text NOT NULL,
         applied_at timestamptz NOT NULL DEFAULT now(),
         readable_from integer
       )`,
    );
    await addReadableFrom(transaction);
    // Before the first change: a database that another release owns stays as it is.
    await readPending(transaction, migrations);
  });
  for (;;) {
    const next = await inTransaction(pool, async (transaction) => {
      await lock(transaction);
      const [first] = await readPending(transaction, migrations);
      if (first !== undefined) await apply(transaction, first);
      return first;
    });
    if (next === undefined) return { applied };
    applied.push(label(next));
    logger.info({ migration: label(next) }, 'migrated the database');
  }
}

/** To a table of a release that had none; not asked of one that has it, since that locks it. */
async function addReadableFrom(transaction: Queryable): Promise<void> {
  const { rowCount } = await transaction.query(
    `SELECT FROM pg_attribute
     WHERE attrelid = 'tether_migrations'::regclass AND attname = 'readable_from' AND NOT attisdropped`,
  );
  if (rowCount === 0)
    await transaction.query('ALTER TABLE tether_migrations ADD COLUMN readable_from integer');
}

/** In the transaction: held to its end, and let go by whatever ends it. */
async function lock(transaction: Queryable): Promise<void> {
  await transaction.query(`SELECT pg_advisory_xact_lock(${LOCK_KEY})`);
}

/** Those that the database has not, in order; its table of them is there. @throws SchemaNewerError, MigrationChangedError */
export async function readPending(
  transaction: Queryable,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  // Not by the column's name: who only looks may find the table of a release that had none.
  const { rows } = await transaction.query<AppliedRow>(
    `SELECT version, name, checksum, (to_jsonb(applied) ->> 'readable_from')::int AS "readableFrom"
     FROM tether_migrations AS applied ORDER BY version`,
  );
  const known = new Map(migrations.map((migration) => [migration.version, migration]));
  for (const row of rows) {
    const migration = known.get(row.version);
    if (migration === undefined) {
      if ((row.readableFrom ?? row.version) <= migrations.length) continue;
      throw new SchemaNewerError(
        `the database has migration ${row.version} (${row.name}), which this release does not know: ` +
          'run the release that applied it, or a later one',
      );
    }
    if (checksum(migration) !== row.checksum) {
      throw new MigrationChangedError(
        `migration ${label(migration)} was applied with another text than it has in this release`,
      );
    }
    known.delete(row.version);
  }
  return [...known.values()];
}

async function apply(transaction: Queryable, migration: Migration): Promise<void> {
  await transaction.query(migration.sql);
  const { version, name, readableFrom } = migration;
  await transaction.query(
    'INSERT INTO tether_migrations (version, name, checksum, readable_from) VALUES ($1, $2, $3, $4)',
    [version, name, checksum(migration), readableFrom ?? version],
  );
}

/** Of the statements, however they are indented. */
function checksum({ sql }: Migration): string {
  return createHash('sha256').update(sql.replace(/\s+/g, ' ').trim()).digest('hex');
}

function label({ version, name }: Migration): string {
  return `${String(version).padStart(4, '0')}-${name}`;
}

function assertOrdered(migrations: readonly Migration[]): void {
  migrations.forEach(({ version }, index) => {
    if (version !== index + 1) throw new TypeError(`migration ${version} stands in place ${index + 1}`);
  });
}
