/** What the schema of a database is against this release's: looked at, and left as it is. */
import { readPending } from './migrate.js';
import { migrations } from './migrations/index.js';
import type { Queryable } from './pool.js';

interface SchemaState {
  /** Migrations that a node would apply. */
  readonly pending: number;
  /** Migrations of this release. */
  readonly version: number;
}

/** @throws SchemaNewerError, MigrationChangedError */
export async function readSchemaState(database: Queryable): Promise<SchemaState> {
  const { rows } = await database.query<{ there: boolean }>(
    "SELECT to_regclass('tether_migrations') IS NOT NULL AS there",
  );
  const pending = rows[0]?.there === true ? await readPending(database, migrations) : migrations;
  return { pending: pending.length, version: migrations.length };
}

/** Tables of this release; those that a later migration dropped as well. */
export function schemaTables(): readonly string[] {
  const made = migrations.flatMap(({ sql }) => [...sql.matchAll(/\bCREATE TABLE (?:IF NOT EXISTS )?(\w+)/g)]);
  return ['tether_migrations', ...made.map(([, name = '']) => name)];
}
