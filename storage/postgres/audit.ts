/**
 * The table `audit`: who changed what, one row for each change, written once, and removed when it is older than it is to be kept.
 *
 * A change must not go unnoted because of what was changed: the character NUL and halves of characters, which Postgres does not hold, are
 * replaced, and a value that is very long is left out, with its length.
 */
import { replaceNul } from './columns.js';
import type { Pool } from './pool.js';

export interface AuditRecord {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly client: string;
  readonly action: string;
  readonly target: string;
  /** Anything that JSON can hold; null: nothing. */
  readonly before: unknown;
  readonly after: unknown;
}

export interface StoredAudit extends AuditRecord {
  /** Rises. */
  readonly id: number;
}

export interface AuditFilter {
  readonly client?: string | undefined;
  readonly action?: string | undefined;
  /** From this millisecond on, up to that one and not with it. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Older than this one. */
  readonly before?: number | undefined;
  readonly limit: number;
}

const WORD_CHARS_MAX = 200;
const TARGET_CHARS_MAX = 1_000;
/** Of a value as JSON. */
const VALUE_CHARS_MAX = 65_536;

const RECORD = `
  INSERT INTO audit (at, client, action, target, before, after)
  VALUES (to_timestamp($1::double precision / 1000), $2, $3, $4, $5, $6)`;
const LIST = `
  SELECT id, (extract(epoch FROM at) * 1000)::bigint AS at, client, action, target, before, after FROM audit
  WHERE ($1::text IS NULL OR client = $1) AND ($2::text IS NULL OR action = $2)
    AND ($3::double precision IS NULL OR at >= to_timestamp($3 / 1000))
    AND ($4::double precision IS NULL OR at < to_timestamp($4 / 1000))
    AND ($5::bigint IS NULL OR id < $5)
  ORDER BY id DESC LIMIT $6`;
/** The primary key's order is that of time, but for what nodes wrote at once. */
const REMOVE = `
  DELETE FROM audit WHERE id IN (
    SELECT id FROM audit WHERE at < now() - make_interval(days => $1) ORDER BY at LIMIT $2)`;

interface Row {
  readonly id: string;
  readonly at: string;
  readonly client: string;
  readonly action: string;
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * Leaves the pool to who made it.
 * @throws what `toPostgresError` makes of an error
 */
export class AuditTable {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async record({ at, client, action, target, before, after }: AuditRecord): Promise<void> {
    await this.#pool.query(RECORD, [
      at,
      held(client).slice(0, WORD_CHARS_MAX),
      held(action).slice(0, WORD_CHARS_MAX),
      held(target).slice(0, TARGET_CHARS_MAX),
      jsonOf(before),
      jsonOf(after),
    ]);
  }

  /** Of those that are older than `days`, at most `rowsMax`. Several nodes may do it at once. @returns how many were removed */
  async removeOlder(days: number, rowsMax: number): Promise<number> {
    const { rowCount } = await this.#pool.query(REMOVE, [days, rowsMax]);
    return rowCount ?? 0;
  }

  /** The latest first. */
  async list({ client, action, from, to, before, limit }: AuditFilter): Promise<readonly StoredAudit[]> {
    const values = [client, action, from, to, before].map((value) => value ?? null);
    const { rows } = await this.#pool.query<Row>(LIST, [...values, limit]);
    return rows.map((row) => ({ ...row, id: Number(row.id), at: Number(row.at) }));
  }
}

/** NULL for null, so that both are one. */
function jsonOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const json = JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? held(part) : part));
  return json.length > VALUE_CHARS_MAX ? JSON.stringify({ omittedChars: json.length }) : json;
}

/** As Postgres can hold it. */
function held(text: string): string {
  return replaceNul(Buffer.from(text).toString());
}
