/**
 * The table `tokens`: bearer tokens of clients, of which only the SHA-256 is known.
 *
 * A revoked or expired token stays in the table, so that a list shows what there has been. What a scope means is the
 * caller's: here it is a word.
 */
import type { Pool } from './pool.js';

export interface NewToken {
  /** UUID. */
  readonly id: string;
  readonly client: string;
  readonly note: string;
  /** SHA-256 of the token. */
  readonly hash: Uint8Array;
  readonly scopes: readonly string[];
  readonly expiresInDays?: number;
}

export interface StoredToken {
  readonly id: string;
  readonly client: string;
  readonly note: string;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly revokedAt: Date | undefined;
  /** To the minute. */
  readonly usedAt: Date | undefined;
}

/** More are not listed: the oldest are left out. */
export const TOKENS_LISTED_MAX = 1000;

const COLUMNS = 'id, client, note, scopes, created_at, expires_at, revoked_at, used_at';

/** The clock of the database decides, as it does in FIND. */
const CREATE = `
  INSERT INTO tokens (id, client, note, hash, scopes, expires_at)
  VALUES ($1, $2, $3, $4, $5, now() + make_interval(days => $6::integer))
  RETURNING ${COLUMNS}`;
const LIST = `SELECT ${COLUMNS} FROM tokens ORDER BY id DESC LIMIT ${TOKENS_LISTED_MAX}`;
const FIND = `
  SELECT ${COLUMNS} FROM tokens WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`;
const REVOKE = `UPDATE tokens SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING ${COLUMNS}`;
/** Of several nodes at once, one writes. */
const USED = `
  UPDATE tokens SET used_at = now() WHERE id = $1 AND (used_at IS NULL OR used_at <= now() - interval '1 minute')`;

interface Row {
  readonly id: string;
  readonly client: string;
  readonly note: string;
  readonly scopes: string[];
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly used_at: Date | null;
}

/**
 * Leaves the pool to who made it.
 * @throws what `toPostgresError` makes of an error
 */
export class Tokens {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async create({ id, client, note, hash, scopes, expiresInDays }: NewToken): Promise<StoredToken> {
    const values = [id, client, note, Buffer.from(hash), [...scopes], expiresInDays ?? null];
    const created = one(await this.#pool.query<Row>(CREATE, values));
    if (created === undefined) throw new TypeError('an INSERT that returned nothing');
    return created;
  }

  /** The latest first; those that are over too. */
  async list(): Promise<readonly StoredToken[]> {
    const { rows } = await this.#pool.query<Row>(LIST);
    return rows.map(toToken);
  }

  /** The token of this hash, if it is valid now. */
  async find(hash: Uint8Array): Promise<StoredToken | undefined> {
    return one(await this.#pool.query<Row>(FIND, [Buffer.from(hash)]));
  }

  /** Idempotent: the first time stands. Undefined when there is no such token. */
  async revoke(id: string): Promise<StoredToken | undefined> {
    return one(await this.#pool.query<Row>(REVOKE, [id]));
  }

  /** Says that a token was used, at most once a minute. */
  async used(id: string): Promise<void> {
    await this.#pool.query(USED, [id]);
  }
}

function toToken(row: Row): StoredToken {
  return {
    id: row.id,
    client: row.client,
    note: row.note,
    scopes: row.scopes,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    usedAt: row.used_at ?? undefined,
  };
}

function one({ rows }: { readonly rows: readonly Row[] }): StoredToken | undefined {
  const row = rows[0];
  return row === undefined ? undefined : toToken(row);
}
