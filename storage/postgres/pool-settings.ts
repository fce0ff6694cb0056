/**
 * The table `pool_settings`: what operators set of pools, for every node of a cluster and over restarts.
 *
 * Two operators may change one pool at once, on two nodes: who changes says which version he saw, and is told when there is another by then.
 * A pause has no such condition, since the last one to say pause or resume is right. What is in `settings` is the caller's to understand.
 */
import type { Pool } from './pool.js';

export interface SavedPool {
  readonly actor: string;
  /** As it was saved, by whatever release. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly paused: boolean;
  /** Rises with every change of any pool. */
  readonly version: number;
  /** The version at which it was paused or resumed last; 0: never since the row is there. */
  readonly pauseVersion: number;
  readonly changedAt: Date;
  readonly changedBy: string;
}

/** There are as many as there are actor types: more are a mistake of somebody's. */
const ROWS_MAX = 1_000;

const COLUMNS = 'actor, settings, paused, version, pause_version, changed_at, changed_by';
const LIST = `SELECT ${COLUMNS} FROM pool_settings ORDER BY actor LIMIT ${ROWS_MAX}`;
const GET = `SELECT ${COLUMNS} FROM pool_settings WHERE actor = $1`;
const NEXT = `nextval('pool_settings_version')`;
const ADD = `
  INSERT INTO pool_settings (actor, settings, version, changed_by) VALUES ($1, $2, ${NEXT}, $3)
  ON CONFLICT (actor) DO NOTHING RETURNING ${COLUMNS}`;
const CHANGE = `
  UPDATE pool_settings SET settings = $2, version = ${NEXT}, changed_at = now(), changed_by = $3
  WHERE actor = $1 AND version = $4 RETURNING ${COLUMNS}`;
const PAUSE = `
  WITH next AS (SELECT ${NEXT} AS version)
  INSERT INTO pool_settings (actor, settings, paused, version, pause_version, changed_by)
  SELECT $1::text, '{}'::jsonb, $2::boolean, version, version, $3::text FROM next
  ON CONFLICT (actor) DO UPDATE SET
    paused = excluded.paused, version = excluded.version, pause_version = excluded.pause_version,
    changed_at = now(), changed_by = excluded.changed_by
  RETURNING ${COLUMNS}`;
/** A pool that is paused stays so. Both statements see the row as it was; one of them has it. */
const RESET = `
  WITH gone AS (DELETE FROM pool_settings WHERE actor = $1 AND NOT paused)
  UPDATE pool_settings SET settings = '{}', version = ${NEXT}, changed_at = now(), changed_by = $2
  WHERE actor = $1 AND paused RETURNING ${COLUMNS}`;

interface Row {
  readonly actor: string;
  readonly settings: Record<string, unknown>;
  readonly paused: boolean;
  readonly version: string;
  readonly pause_version: string;
  readonly changed_at: Date;
  readonly changed_by: string;
}

/**
 * Leaves the pool of connections to who made it.
 * @throws what `toPostgresError` makes of an error
 */
export class PoolSettingsTable {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async list(): Promise<readonly SavedPool[]> {
    const { rows } = await this.#pool.query<Row>(LIST);
    return rows.map(toSaved);
  }

  async get(actor: string): Promise<SavedPool | undefined> {
    return one(await this.#pool.query<Row>(GET, [actor]));
  }

  /**
   * @param seen the version of the row that the settings were made from; undefined: there was none
   * @returns undefined when that is not so any more, and nothing was saved
   */
  async save(
    actor: string,
    settings: SavedPool['settings'],
    by: string,
    seen: number | undefined,
  ): Promise<SavedPool | undefined> {
    const values = [actor, JSON.stringify(settings), by];
    return seen === undefined
      ? one(await this.#pool.query<Row>(ADD, values))
      : one(await this.#pool.query<Row>(CHANGE, [...values, seen]));
  }

  async pause(actor: string, paused: boolean, by: string): Promise<SavedPool> {
    const saved = one(await this.#pool.query<Row>(PAUSE, [actor, paused, by]));
    if (saved === undefined) throw new TypeError('an INSERT that returned nothing');
    return saved;
  }

  /** Forgets the settings. @returns what is left: of a pool that is paused, that */
  async reset(actor: string, by: string): Promise<SavedPool | undefined> {
    return one(await this.#pool.query<Row>(RESET, [actor, by]));
  }
}

function toSaved(row: Row): SavedPool {
  return {
    actor: row.actor,
    settings: row.settings,
    paused: row.paused,
    version: Number(row.version),
    pauseVersion: Number(row.pause_version),
    changedAt: row.changed_at,
    changedBy: row.changed_by,
  };
}

function one({ rows }: { readonly rows: readonly Row[] }): SavedPool | undefined {
  const row = rows[0];
  return row === undefined ? undefined : toSaved(row);
}
