/**
 * The table `tus_uploads`: what is kept of each resumable upload between two requests.
 *
 * ```
 * open --whole--> complete
 *   |                |
 *   `----------------+--DELETE, refused, expired--> terminating --out of the store--> terminated --a while--> no row
 * ```
 * - Only an open upload takes bytes, and only from who holds its lease. A writer takes the lease, and gives it back in the one
 *   statement that saves what it has put into the store: when that finds the lease gone, nothing of it counts.
 * - A lease that has run out and is still there says that its writer ended without that statement. The object may be whole already: who
 *   takes such a lease is told (`abandoned`), and looks.
 * - The database's clock decides, whichever node asks.
 */
import type { UploadState } from '../../../actors/upload/model.js';
import type { Part } from '../../../storage/objects/object-store.js';
import type { Pool } from '../../../storage/postgres/pool.js';
import type { AppendState } from '../intake/intake.js';

/** What a client waits at most when the node of its upload is killed. */
export const LEASE_MS = 15_000;
/** How long the store of what is given up is left to who gave it up, before a sweep helps. */
const CLEANUP_MS = 60_000;

type TusState = 'open' | 'complete' | 'terminating' | 'terminated';

export interface TusUpload {
  readonly id: string;
  readonly owner: string;
  /** Of a part undefined. */
  readonly uploadId: string | undefined;
  /** It was to become an upload, or has, and that was removed. */
  readonly isOrphan: boolean;
  readonly uploadState: UploadState | undefined;
  /** The upload has the object, and sees to its end. */
  readonly isStored: boolean;
  readonly metadata: string;
  /** Undefined: deferred. */
  readonly length: number | undefined;
  readonly concat: 'partial' | 'final' | undefined;
  readonly concatHeader: string | undefined;
  readonly objectKey: string;
  readonly append: AppendState;
  readonly state: TusState;
  readonly expiresAt: Date | undefined;
  readonly lease: 'none' | 'held' | 'abandoned';
}

export interface NewTusUpload {
  readonly id: string;
  readonly owner: string;
  readonly uploadId?: string;
  readonly metadata: string;
  readonly length: number | undefined;
  readonly concat?: 'partial' | 'final';
  readonly concatHeader?: string;
  readonly objectKey: string;
  /** Its first writer's. */
  readonly lease?: string;
}

interface Saved {
  readonly saved: boolean;
  readonly expiresAt: Date | undefined;
}

interface TusRow {
  readonly id: string;
  readonly owner: string;
  readonly upload_id: string | null;
  readonly upload_state: UploadState | null;
  readonly is_stored: boolean;
  readonly metadata: string;
  readonly length: number | null;
  readonly received: number;
  readonly concat: 'partial' | 'final' | null;
  readonly concat_header: string | null;
  readonly object_key: string;
  readonly multipart: string | null;
  readonly parts: readonly Part[];
  readonly tail_key: string | null;
  readonly tail_bytes: number;
  readonly hash_state: Buffer | null;
  readonly state: TusState;
  readonly expires_at: Date | null;
  readonly lease: TusUpload['lease'];
}

/** `l` has the lease that counts: the row's, or the one before it was taken. */
const columns = (l: string) => `t.id, t.owner, t.upload_id, u.state AS upload_state,
  u.stored_at IS NOT NULL AS is_stored, t.metadata,
  t.length::float8, t.received::float8, t.concat, t.concat_header, t.object_key, t.multipart, t.parts, t.tail_key,
  t.tail_bytes::float8, t.hash_state, t.state, t.expires_at,
  CASE WHEN ${l}.lease IS NULL THEN 'none' WHEN ${l}.lease_until > now() THEN 'held' ELSE 'abandoned' END AS lease`;

const SELECT = `SELECT ${columns('t')} FROM tus_uploads t LEFT JOIN uploads u ON u.id = t.upload_id`;
const after = (parameter: string) => `now() + ${parameter} * interval '1 ms'`;
const FREE = '(lease IS NULL OR lease_until <= now())';

const INSERT = `
  INSERT INTO tus_uploads (id, owner, upload_id, metadata, length, concat, concat_header, object_key, lease, lease_until, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::uuid, CASE WHEN $9 IS NOT NULL THEN ${after('$10')} END, ${after('$11')})
  RETURNING expires_at`;

/** The lock makes the second of two writers look again once the first has the lease. */
const TAKE = `
  WITH before AS (
    SELECT id, lease, lease_until FROM tus_uploads
    WHERE id = $1 AND state = 'open' AND expires_at > now() AND ${FREE} FOR UPDATE
  )
  UPDATE tus_uploads t SET lease = $2, lease_until = ${after('$3')}, lease_wanted = false, expires_at = ${after('$4')}
  FROM before JOIN tus_uploads same ON same.id = before.id LEFT JOIN uploads u ON u.id = same.upload_id
  WHERE t.id = before.id RETURNING ${columns('before')}`;

const MINE = `id = $1 AND lease = $2 AND state = 'open'`;
const RENEW = `
  UPDATE tus_uploads SET lease_until = ${after('$3')}, expires_at = ${after('$4')} WHERE ${MINE} RETURNING lease_wanted`;
const WANT = `UPDATE tus_uploads SET lease_wanted = true WHERE id = $1 AND state = 'open' AND lease IS NOT NULL`;
const KEPT = `received = $3, multipart = $4, parts = $5, tail_key = $6, tail_bytes = $7, hash_state = $8, length = $9,
  expires_at = ${after('$10')}`;
const SAVE = `
  UPDATE tus_uploads SET ${KEPT}, lease = NULL, lease_until = NULL WHERE ${MINE} RETURNING expires_at`;
const CHECKPOINT = `
  UPDATE tus_uploads SET ${KEPT}, lease_until = ${after('$11')} WHERE ${MINE} RETURNING expires_at`;
const RELEASE = `UPDATE tus_uploads SET lease = NULL, lease_until = NULL WHERE ${MINE}`;
const ABANDON = `UPDATE tus_uploads SET lease_until = now() WHERE ${MINE}`;

const EMPTIED = `multipart = NULL, parts = '[]', tail_key = NULL, tail_bytes = 0, hash_state = NULL,
  lease = NULL, lease_until = NULL`;
/** Whoever says so: the object is whole. A part goes away some day, an upload is for others to remove. */
const COMPLETE = `
  UPDATE tus_uploads SET state = 'complete', received = $2, length = $2, ${EMPTIED},
    expires_at = CASE WHEN concat = 'partial' THEN ${after('$3')} END
  WHERE id = $1 AND state = 'open' RETURNING expires_at`;
const TERMINATE = `
  UPDATE tus_uploads SET state = 'terminating', expires_at = ${after(String(CLEANUP_MS))}
  WHERE id = $1 AND state IN ('open', 'complete')`;
/** Unless somebody goes on with it meanwhile. */
const EXPIRE = `${TERMINATE} AND expires_at <= now() AND ${FREE}`;
const TERMINATED = `
  UPDATE tus_uploads SET state = 'terminated', ${EMPTIED}, expires_at = ${after('$2')}
  WHERE id = $1 AND state = 'terminating'`;
const POSTPONE = `UPDATE tus_uploads SET expires_at = ${after(String(CLEANUP_MS))} WHERE id = $1 AND state <> 'open'`;
const FORGET = `DELETE FROM tus_uploads WHERE id = $1 AND state = 'terminated' AND expires_at <= now()`;
const OUTRUN = `
  (${SELECT} WHERE t.state = 'open' AND u.state <> 'receiving' AND (t.lease IS NULL OR t.lease_until <= now()))
  UNION ALL
  (${SELECT} WHERE t.upload_id IS NULL AND t.concat IS DISTINCT FROM 'partial' AND t.state IN ('open', 'complete')
    AND (t.lease IS NULL OR t.lease_until <= now()))`;
const KEEP = `
  UPDATE tus_uploads SET expires_at = greatest(expires_at, ${after('$2')})
  WHERE id = ANY ($1::uuid[]) AND state = 'complete' AND concat = 'partial'`;

/**
 * Leaves the pool to who made it.
 * @throws what `toPostgresError` makes of an error
 */
export class TusTable {
  readonly #pool: Pool;
  readonly #expiryMs: number;

  constructor(pool: Pool, expiryMs: number) {
    this.#pool = pool;
    this.#expiryMs = expiryMs;
  }

  /** When it expires, if nothing more comes. */
  async insert(upload: NewTusUpload): Promise<Date | undefined> {
    const { id, owner, uploadId, metadata, length, concat, concatHeader, objectKey, lease } = upload;
    const { expiresAt } = await this.#saved(INSERT, [
      ...[id, owner, uploadId, metadata, length, concat, concatHeader, objectKey, lease].map(orNull),
      LEASE_MS,
      this.#expiryMs,
    ]);
    return expiresAt;
  }

  async find(id: string): Promise<TusUpload | undefined> {
    const { rows } = await this.#pool.query<TusRow>(`${SELECT} WHERE t.id = $1`, [id]);
    return rows.map(toTusUpload)[0];
  }

  async findMany(ids: readonly string[]): Promise<ReadonlyMap<string, TusUpload>> {
    const { rows } = await this.#pool.query<TusRow>(`${SELECT} WHERE t.id = ANY ($1::uuid[])`, [ids]);
    return new Map(rows.map((row) => [row.id, toTusUpload(row)]));
  }

  /**
   * The lease, as `lease`, of an open upload that nobody else writes to; `lease` of the result is what it was before.
   * Undefined: look with `find` why not.
   */
  async take(id: string, lease: string): Promise<TusUpload | undefined> {
    const { rows } = await this.#pool.query<TusRow>(TAKE, [id, lease, LEASE_MS, this.#expiryMs]);
    return rows.map(toTusUpload)[0];
  }

  /** `lost`: it is somebody else's, or the upload is given up; `wanted`: renewed, and somebody waits for it. */
  async renew(id: string, lease: string): Promise<'renewed' | 'wanted' | 'lost'> {
    const { rows } = await this.#pool.query<{ readonly lease_wanted: boolean }>(RENEW, [
      id,
      lease,
      LEASE_MS,
      this.#expiryMs,
    ]);
    const [row] = rows;
    if (row === undefined) return 'lost';
    return row.lease_wanted ? 'wanted' : 'renewed';
  }

  /** Tells who has the lease that it is wanted. */
  async want(id: string): Promise<void> {
    await this.#changes(WANT, [id]);
  }

  /** Gives the lease back; `saved` is false when it was lost, and then nothing is changed. */
  async save(id: string, lease: string, state: AppendState, length: number | undefined): Promise<Saved> {
    return this.#saved(SAVE, [...this.#kept(id, lease, state, length)]);
  }

  /** `save` that keeps the lease, and renews it. */
  async checkpoint(
    id: string,
    lease: string,
    state: AppendState,
    length: number | undefined,
  ): Promise<boolean> {
    return (await this.#saved(CHECKPOINT, [...this.#kept(id, lease, state, length), LEASE_MS])).saved;
  }

  /** Nothing came of it, and the store has no more than before. */
  async release(id: string, lease: string): Promise<void> {
    await this.#changes(RELEASE, [id, lease]);
  }

  /** Nobody knows what the store has: the next writer looks, and need not wait. */
  async abandon(id: string, lease: string): Promise<void> {
    await this.#changes(ABANDON, [id, lease]);
  }

  /** False: it was not open. It expires when it is a part, otherwise never. */
  complete(id: string, length: number): Promise<Saved> {
    return this.#saved(COMPLETE, [id, length, this.#expiryMs]);
  }

  /** Gives an upload up; `terminated` when the store has nothing of it. False: somebody has, or it is not there. */
  terminate(id: string): Promise<boolean> {
    return this.#changes(TERMINATE, [id]);
  }

  /** `terminate`, if it has expired and nobody writes to it. */
  expire(id: string): Promise<boolean> {
    return this.#changes(EXPIRE, [id]);
  }

  /** A sweep that failed at it comes back later. */
  async postpone(id: string): Promise<void> {
    await this.#changes(POSTPONE, [id]);
  }

  async terminated(id: string): Promise<void> {
    await this.#changes(TERMINATED, [id, this.#expiryMs]);
  }

  /** Of one that has been terminated for a while, the row. */
  async forget(id: string): Promise<void> {
    await this.#changes(FORGET, [id]);
  }

  /** Parts that are in use do not expire before others begun now would. */
  async keep(ids: readonly string[]): Promise<void> {
    await this.#changes(KEEP, [ids, this.#expiryMs]);
  }

  /** For a sweep, the longest overdue first: what is due and nobody writes to. */
  async due(limit: number): Promise<readonly TusUpload[]> {
    const { rows } = await this.#pool.query<TusRow>(
      `${SELECT} WHERE t.expires_at <= now() AND (t.lease IS NULL OR t.lease_until <= now())
       ORDER BY t.expires_at LIMIT $1`,
      [limit],
    );
    return rows.map(toTusUpload);
  }

  /** For a sweep: open here, though the upload went on or was given up elsewhere, and nobody writes to it; or its upload was removed. */
  async outrun(limit: number): Promise<readonly TusUpload[]> {
    const { rows } = await this.#pool.query<TusRow>(`${OUTRUN} LIMIT $1`, [limit]);
    return rows.map(toTusUpload);
  }

  #kept(id: string, lease: string, state: AppendState, length: number | undefined): readonly unknown[] {
    const { received, multipart, parts, tailKey, tailBytes, hashState } = state;
    const hash = hashState === undefined ? undefined : Buffer.from(hashState, 'base64');
    const kept = [received, multipart, JSON.stringify(parts), tailKey, tailBytes, hash, length];
    return [id, lease, ...kept.map(orNull), this.#expiryMs];
  }

  async #saved(sql: string, values: readonly unknown[]): Promise<Saved> {
    const { rows } = await this.#pool.query<{ readonly expires_at: Date | null }>(sql, values);
    return { saved: rows.length > 0, expiresAt: rows[0]?.expires_at ?? undefined };
  }

  async #changes(sql: string, values: readonly unknown[]): Promise<boolean> {
    const { rowCount } = await this.#pool.query(sql, values);
    return (rowCount ?? 0) > 0;
  }
}

function orNull(value: unknown): unknown {
  return value ?? null;
}

function toTusUpload(row: TusRow): TusUpload {
  return {
    id: row.id,
    owner: row.owner,
    uploadId: row.upload_id ?? undefined,
    isOrphan: row.upload_id === null && row.concat !== 'partial',
    uploadState: row.upload_state ?? undefined,
    isStored: row.is_stored,
    metadata: row.metadata,
    length: row.length ?? undefined,
    concat: row.concat ?? undefined,
    concatHeader: row.concat_header ?? undefined,
    objectKey: row.object_key,
    append: {
      received: row.received,
      parts: row.parts,
      tailBytes: row.tail_bytes,
      ...(row.multipart === null ? {} : { multipart: row.multipart }),
      ...(row.tail_key === null ? {} : { tailKey: row.tail_key }),
      ...(row.hash_state === null ? {} : { hashState: row.hash_state.toString('base64') }),
    },
    state: row.state,
    expiresAt: row.expires_at ?? undefined,
    lease: row.lease,
  };
}
