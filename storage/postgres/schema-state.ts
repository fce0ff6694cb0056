/** What the schema of a database is against this release's: looked at, and left as it is. */
import { readPending } from './migrate.js';
import { migrations } from './migrations/index.js';
import type { Queryable } from './pool.js';

export interface SchemaState {
  /** Migrations that a node would apply, in order. */
  readonly pending: number;
  /** Of this release, those that the database should have. */
  readonly version: number;
  /** Tables that are there by now; their names. */
  readonly tables: readonly string[];
}

/** @throws SchemaNewerError, MigrationChangedError */
export async function readSchemaState(database: Queryable): Promise<SchemaState> {
  const { rows } = await database.query<{ there: boolean }>(
    "SELECT to_regclass('tether_migrations') IS NOT NULL AS there",
  );
  const pending = rows[0]?.there === true ? await readPending(database, migrations) : migrations;
  const done = migrations.filter((migration) => !pending.includes(migration));
  const tables = done.flatMap(({ sql }) =>
    [...sql.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+)/g)].map(([, name = '']) => name),
  );
  return { pending: pending.length, version: migrations.length, tables };
}
