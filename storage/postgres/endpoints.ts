/**
 * The table `endpoints`: those that operators made over the API, for every node and over restarts. It holds secrets as they were given.
 *
 * Two operators may change one endpoint at once, on two nodes: who changes says which version he saw, and is told when there is another by then.
 * What is in `settings` is the caller's to understand.
 */
import type { Pool } from './pool.js';

export interface SavedEndpoint {
  readonly name: string;
  /** As they were saved, by whatever release. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Rises with every change of any endpoint. */
  readonly version: number;
  readonly changedAt: Date;
  readonly changedBy: string;
}

/** Who makes one more is refused before; nodes that do so at once may have a few more. */
const ROWS_MAX = 2_000;

const COLUMNS = 'name, settings, version, changed_at, changed_by';
const LIST = `SELECT ${COLUMNS} FROM endpoints ORDER BY name LIMIT ${ROWS_MAX}`;
const GET = `SELECT ${COLUMNS} FROM endpoints WHERE name = $1`;
const NEXT = `nextval('endpoints_version')`;
/** Not the largest version: a change with a smaller one may be seen after one with a larger. */
const STAMP = `SELECT coalesce(string_agg(version::text, ',' ORDER BY name), '') AS stamp FROM endpoints`;
const ADD = `
  INSERT INTO endpoints (name, settings, version, changed_by) VALUES ($1, $2, ${NEXT}, $3)
  ON CONFLICT (name) DO NOTHING RETURNING ${COLUMNS}`;
const CHANGE = `
  UPDATE endpoints SET settings = $2, version = ${NEXT}, changed_at = now(), changed_by = $3
  WHERE name = $1 AND version = $4 RETURNING ${COLUMNS}`;
const REMOVE = `DELETE FROM endpoints WHERE name = $1 RETURNING ${COLUMNS}`;

interface Row {
  readonly name: string;
  readonly settings: Record<string, unknown>;
  readonly version: string;
  readonly changed_at: Date;
  readonly changed_by: string;
}

/**
 * Leaves the pool of connections to who made it.
 * @throws what `toPostgresError` makes of an error
 */
export class EndpointsTable {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Another text after each change. */
  async stamp(): Promise<string> {
    const { rows } = await this.#pool.query<{ readonly stamp: string }>(STAMP);
    return rows[0]?.stamp ?? '';
  }

  async list(): Promise<readonly SavedEndpoint[]> {
    const { rows } = await this.#pool.query<Row>(LIST);
    return rows.map(toSaved);
  }

  async get(name: string): Promise<SavedEndpoint | undefined> {
    return one(await this.#pool.query<Row>(GET, [name]));
  }

  /**
   * @param seen the version of the row that the settings were made from; undefined: there was none
   * @returns undefined when that is not so any more, and nothing was saved
   */
  async save(
    name: string,
    settings: SavedEndpoint['settings'],
    by: string,
    seen: number | undefined,
  ): Promise<SavedEndpoint | undefined> {
    const values = [name, JSON.stringify(settings), by];
    return seen === undefined
      ? one(await this.#pool.query<Row>(ADD, values))
      : one(await this.#pool.query<Row>(CHANGE, [...values, seen]));
  }

  /** @returns what it was; undefined when there was none */
  async remove(name: string): Promise<SavedEndpoint | undefined> {
    return one(await this.#pool.query<Row>(REMOVE, [name]));
  }
}

function toSaved({ name, settings, version, changed_at, changed_by }: Row): SavedEndpoint {
  return { name, settings, version: Number(version), changedAt: changed_at, changedBy: changed_by };
}

function one({ rows }: { readonly rows: readonly Row[] }): SavedEndpoint | undefined {
  const row = rows[0];
  return row === undefined ? undefined : toSaved(row);
}
