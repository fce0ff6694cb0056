/**
 * The table `uploads`: every change of an upload's state but those that the upload actor makes with its rows, in its own transactions.
 *
 * Each change is one statement that names the states it may start from, so that of two changes at once one wins and the other
 * finds out: `undefined` means that the upload is not there, or not in such a state.
 */
import { createHash } from 'node:crypto';
import { inTransaction, type Pool, type Queryable } from '../../storage/postgres/pool.js';
import type { Upload, UploadMediaType, UploadState, UploadVia } from './model.js';

export interface NewUpload {
  readonly id: string;
  readonly owner: string;
  readonly via: UploadVia;
  /** Clean. */
  readonly filename: string;
  readonly objectKey: string;
  readonly bytesExpected?: number;
  /** Hexadecimal. */
  readonly sha256Expected?: string;
  /** Default true. */
  readonly process?: boolean;
  /** The client's; the same of the same owner finds the same upload. */
  readonly idempotencyKey?: string;
}

export interface StoredFile {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly mediaType: UploadMediaType;
  /** When only the body tells it. */
  readonly filename?: string;
}

export interface UploadFilter {
  /** Default: everybody's. */
  readonly owner?: string;
  readonly states?: readonly UploadState[];
  /** Hexadecimal. */
  readonly sha256?: string;
  readonly filename?: string;
  readonly createdFrom?: Date;
  readonly createdBefore?: Date;
  /** The id of the last upload of the page before. */
  readonly before?: string;
  readonly limit: number;
}

const COLUMNS = `id, owner, state, via, filename, media_type, object_key, multipart, bytes::float8, bytes_expected::float8,
  encode(sha256, 'hex') AS sha256, encode(sha256_expected, 'hex') AS sha256_expected, process, failure_code, failure_detail, total::float8, accepted::float8, invalid::float8,
  skipped::float8, processed_bytes::float8, version::float8, created_at, stored_at, started_at, finished_at, updated_at`;

interface UploadRow {
  readonly id: string;
  readonly owner: string;
  readonly state: UploadState;
  readonly via: UploadVia;
  readonly filename: string;
  readonly media_type: UploadMediaType | null;
  readonly object_key: string;
  readonly multipart: string | null;
  readonly bytes: number;
  readonly bytes_expected: number | null;
  readonly sha256: string | null;
  readonly sha256_expected: string | null;
  readonly process: boolean;
  readonly failure_code: string | null;
  readonly failure_detail: string | null;
  readonly total: number;
  readonly accepted: number;
  readonly invalid: number;
  readonly skipped: number;
  readonly processed_bytes: number;
  readonly version: number;
  readonly created_at: Date;
  readonly stored_at: Date | null;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly updated_at: Date;
}

function toUpload(row: UploadRow): Upload {
  return {
    id: row.id,
    owner: row.owner,
    state: row.state,
    via: row.via,
    filename: row.filename,
    mediaType: row.media_type ?? undefined,
    objectKey: row.object_key,
    multipart: row.multipart ?? undefined,
    bytes: row.bytes,
    bytesExpected: row.bytes_expected ?? undefined,
    sha256: row.sha256 ?? undefined,
    sha256Expected: row.sha256_expected ?? undefined,
    process: row.process,
    failure:
      row.failure_code === null ? undefined : { code: row.failure_code, detail: row.failure_detail ?? '' },
    counts: { total: row.total, accepted: row.accepted, invalid: row.invalid, skipped: row.skipped },
    processedBytes: row.processed_bytes,
    version: row.version,
    createdAt: row.created_at,
    storedAt: row.stored_at ?? undefined,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    updatedAt: row.updated_at,
  };
}

/** What every change does beside its own. */
const CHANGED = 'version = version + 1, updated_at = now()';

const INSERT = `
  INSERT INTO uploads (id, owner, state, via, filename, object_key, bytes_expected, process, sha256_expected)
  VALUES ($1, $2, 'receiving', $3, $4, $5, $6, $7, decode($8, 'hex'))
  RETURNING ${COLUMNS}`;

/** An upload that never came to be stored gives its key back. */
const FREE_KEY = `
  DELETE FROM upload_keys k USING uploads u
  WHERE k.owner = $1 AND k.key = $2 AND u.id = k.upload_id AND u.stored_at IS NULL AND u.state IN ('failed', 'cancelled')`;
const TAKE_KEY = 'INSERT INTO upload_keys (owner, key, upload_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING';
const BY_KEY = `
  SELECT ${COLUMNS} FROM uploads WHERE id = (SELECT upload_id FROM upload_keys WHERE owner = $1 AND key = $2)`;

const STORED = `
  UPDATE uploads SET state = 'stored', bytes = $2, sha256 = decode($3, 'hex'), media_type = $4, filename = coalesce($5, filename),
    multipart = NULL, stored_at = now(), ${CHANGED}
  WHERE id = $1 AND state = 'receiving' RETURNING ${COLUMNS}`;

const RECEIVED = `
  UPDATE uploads SET bytes = $2, multipart = coalesce($3, multipart), ${CHANGED}
  WHERE id = $1 AND state = 'receiving' RETURNING ${COLUMNS}`;

const FAILED = `
  UPDATE uploads SET state = 'failed', failure_code = $3, failure_detail = $4, multipart = NULL, finished_at = now(), ${CHANGED}
  WHERE id = $1 AND state = ANY ($2) RETURNING ${COLUMNS}`;

const CANCEL = `
  UPDATE uploads SET state = 'cancelling', ${CHANGED}
  WHERE id = $1 AND (state IN ('receiving', 'processing') OR (state = 'stored' AND process)) RETURNING ${COLUMNS}`;

const FINAL = ['completed', 'failed', 'cancelled'] as const satisfies readonly UploadState[];

/**
 * Leaves the pool to who made it.
 * @throws what `toPostgresError` makes of an error
 */
export class Uploads {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** A new upload in state `receiving`, or the one that has its idempotency key already. */
  async create(
    upload: NewUpload,
  ): Promise<{ readonly outcome: 'created' | 'known'; readonly upload: Upload }> {
    const { idempotencyKey, owner } = upload;
    if (idempotencyKey === undefined) return { outcome: 'created', upload: await insert(this.#pool, upload) };
    const key = createHash('sha256').update(idempotencyKey).digest();
    return inTransaction(this.#pool, async (transaction) => {
      await transaction.query(FREE_KEY, [owner, key]);
      const created = await insert(transaction, upload);
      // Waits for another request with this key that is at this very point.
      const { rowCount } = await transaction.query(TAKE_KEY, [owner, key, upload.id]);
      if (rowCount === 1) return { outcome: 'created', upload: created };
      await transaction.query('DELETE FROM uploads WHERE id = $1', [upload.id]);
      const known = one(await transaction.query<UploadRow>(BY_KEY, [owner, key]));
      if (known === undefined) throw new TypeError('a key without an upload');
      return { outcome: 'known', upload: known };
    });
  }

  async get(id: string): Promise<Upload | undefined> {
    return one(await this.#pool.query<UploadRow>(`SELECT ${COLUMNS} FROM uploads WHERE id = $1`, [id]));
  }

  /** Those that exist, in no order. */
  async getMany(ids: readonly string[]): Promise<readonly Upload[]> {
    const { rows } = await this.#pool.query<UploadRow>(
      `SELECT ${COLUMNS} FROM uploads WHERE id = ANY ($1::uuid[])`,
      [ids],
    );
    return rows.map(toUpload);
  }

  /** The latest first. */
  async list(filter: UploadFilter): Promise<readonly Upload[]> {
    const values: unknown[] = [];
    const where: string[] = [];
    const add = (condition: (parameter: string) => string, value: unknown) => {
      if (value === undefined) return;
      values.push(value);
      where.push(condition(`$${values.length}`));
    };
    add((p) => `owner = ${p}`, filter.owner);
    add((p) => `state = ANY (${p}::text[])`, filter.states);
    add((p) => `sha256 = decode(${p}, 'hex')`, filter.sha256);
    add((p) => `filename = ${p}`, filter.filename);
    add((p) => `created_at >= ${p}`, filter.createdFrom);
    add((p) => `created_at < ${p}`, filter.createdBefore);
    add((p) => `id < ${p}::uuid`, filter.before);
    values.push(filter.limit);
    const { rows } = await this.#pool.query<UploadRow>(
      `SELECT ${COLUMNS} FROM uploads ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''}
       ORDER BY id DESC LIMIT $${values.length}`,
      values,
    );
    return rows.map(toUpload);
  }

  /** A sign of life while the bytes come in, and the multipart that they go to. */
  async received(id: string, bytes: number, multipart?: string): Promise<Upload | undefined> {
    return one(await this.#pool.query<UploadRow>(RECEIVED, [id, bytes, multipart ?? null]));
  }

  async stored(id: string, { bytes, sha256, mediaType, filename }: StoredFile): Promise<Upload | undefined> {
    return one(await this.#pool.query<UploadRow>(STORED, [id, bytes, sha256, mediaType, filename ?? null]));
  }

  /** It is on the log: nobody needs to put it there again. */
  async enqueued(id: string): Promise<void> {
    await this.#pool.query('UPDATE uploads SET enqueued_at = now() WHERE id = $1', [id]);
  }

  /** @param detail for the client */
  async failed(
    id: string,
    from: readonly UploadState[],
    code: string,
    detail: string,
  ): Promise<Upload | undefined> {
    return one(await this.#pool.query<UploadRow>(FAILED, [id, from, code, detail]));
  }

  /** To `cancelling`, from any state that is not over. */
  async cancel(id: string): Promise<Upload | undefined> {
    return one(await this.#pool.query<UploadRow>(CANCEL, [id]));
  }

  /** Of an upload that is over, or only kept: it and what became of its rows, but for the debtors. Its object is the caller's. */
  async remove(id: string): Promise<boolean> {
    return inTransaction(this.#pool, async (transaction) => {
      const { rowCount } = await transaction.query(
        `DELETE FROM uploads WHERE id = $1 AND (state = ANY ($2) OR (state = 'stored' AND NOT process))`,
        [id, FINAL],
      );
      if (rowCount !== 1) return false;
      await transaction.query('DELETE FROM upload_rejects WHERE upload_id = $1', [id]);
      return true;
    });
  }
}

async function insert(client: Queryable, upload: NewUpload): Promise<Upload> {
  const inserted = one(
    await client.query<UploadRow>(INSERT, [
      upload.id,
      upload.owner,
      upload.via,
      upload.filename,
      upload.objectKey,
      upload.bytesExpected ?? null,
      upload.process ?? true,
      upload.sha256Expected ?? null,
    ]),
  );
  if (inserted === undefined) throw new TypeError('an INSERT that returned nothing');
  return inserted;
}

function one({ rows }: { readonly rows: readonly UploadRow[] }): Upload | undefined {
  const row = rows[0];
  return row === undefined ? undefined : toUpload(row);
}
