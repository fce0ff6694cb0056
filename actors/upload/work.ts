/**
 * An upload as the upload actor works on it: where it stands, and the changes of state that are the actor's.
 *
 * Each change names the state that it starts from; when it is another by now, an `UploadMovedError` says so.
 */
import type { Pool, Queryable } from '../../storage/postgres/pool.js';
import type { Position, TableDescription } from './file/table-file.js';
import { TEXT_MEDIA_TYPE, type UploadMediaType, type UploadState } from './model.js';
import { jsonText } from './write/copy-text.js';
import { UploadMovedError } from './write/write-batch.js';

/** The column `uploads.checkpoint`. */
export interface Checkpoint {
  readonly description: TableDescription;
  /** Of the first row that is not written. */
  readonly next: Position;
  /** All debtors of this upload have larger ids; once it is cancelled, those that are still to be taken back. */
  readonly debtorsAfter: number;
  /** Of a cancelled upload, debtors that could not be taken back so far. */
  readonly left?: number;
}

export interface Work {
  readonly id: string;
  readonly owner: string;
  readonly state: UploadState;
  readonly process: boolean;
  readonly objectKey: string;
  readonly bytes: number;
  readonly mediaType: UploadMediaType;
  /** Undefined before the file was opened for the first time. */
  readonly checkpoint: Checkpoint | undefined;
}

interface WorkRow {
  readonly owner: string;
  readonly state: UploadState;
  readonly process: boolean;
  readonly object_key: string;
  readonly bytes: number;
  readonly media_type: UploadMediaType | null;
  readonly checkpoint: Checkpoint | null;
}

export async function loadWork(pool: Queryable, id: string): Promise<Work | undefined> {
  const { rows } = await pool.query<WorkRow>(
    `SELECT owner, state, process, object_key, bytes::float8, media_type, checkpoint FROM uploads WHERE id = $1`,
    [id],
  );
  const [row] = rows;
  return (
    row && {
      id,
      owner: row.owner,
      state: row.state,
      process: row.process,
      objectKey: row.object_key,
      bytes: row.bytes,
      mediaType: row.media_type ?? TEXT_MEDIA_TYPE,
      checkpoint: row.checkpoint ?? undefined,
    }
  );
}

const CHANGED = 'version = version + 1, updated_at = now()';

/** `stored` -> `processing` */
export async function beginWork(pool: Queryable, id: string): Promise<void> {
  await change(
    pool,
    `UPDATE uploads SET state = 'processing', started_at = now(), ${CHANGED}
     WHERE id = $1 AND state = 'stored' AND process`,
    [id],
  );
}

/** What was found out about the file, before its first row is written. */
export async function saveDescription(
  pool: Pool,
  id: string,
  description: TableDescription,
): Promise<Checkpoint> {
  const { rows } = await pool.query<{ after: number }>(
    // Ids are drawn from here on, whatever becomes of the transaction that draws them.
    'SELECT (last_value - 1)::float8 AS after FROM debtors_id_seq',
  );
  const checkpoint = { description, next: description.first, debtorsAfter: rows[0]?.after ?? 0 };
  await change(
    pool,
    `UPDATE uploads SET checkpoint = $2, ${CHANGED}
     WHERE id = $1 AND state = 'processing' AND checkpoint IS NULL`,
    [id, jsonText(checkpoint)],
  );
  return checkpoint;
}

/** `processing` -> `completed`, when all rows are written. */
export async function completeWork(pool: Queryable, id: string): Promise<void> {
  await change(
    pool,
    `UPDATE uploads SET state = 'completed', finished_at = now(), processed_bytes = bytes, ${CHANGED}
     WHERE id = $1 AND state = 'processing'`,
    [id],
  );
}

/** `processing` -> `failed`. What was accepted up to there stays. `detail` is for the client. */
export async function failWork(pool: Queryable, id: string, code: string, detail: string): Promise<void> {
  await change(
    pool,
    `UPDATE uploads SET state = 'failed', finished_at = now(), failure_code = $2, failure_detail = $3, ${CHANGED}
     WHERE id = $1 AND state = 'processing'`,
    [id, code, detail],
  );
}

/** How far the taking back has come. */
export async function saveTakenBack(
  pool: Queryable,
  id: string,
  debtorsAfter: number,
  left: number,
): Promise<void> {
  await change(
    pool,
    `UPDATE uploads SET checkpoint = checkpoint || jsonb_build_object('debtorsAfter', $2::bigint, 'left', $3::bigint), ${CHANGED}
     WHERE id = $1 AND state = 'cancelling'`,
    [id, debtorsAfter, left],
  );
}

/** `cancelling` -> `cancelled`, with the debtors that could not be taken back. */
export async function finishCancel(pool: Queryable, id: string, left: number): Promise<void> {
  await change(
    pool,
    `UPDATE uploads SET state = 'cancelled', finished_at = now(), total = $2, accepted = $2, invalid = 0, skipped = 0, ${CHANGED}
     WHERE id = $1 AND state = 'cancelling'`,
    [id, left],
  );
}

async function change(pool: Queryable, sql: string, values: readonly unknown[]): Promise<void> {
  const { rowCount } = await pool.query(sql, values);
  if (rowCount !== 1) throw new UploadMovedError('the upload is not where this worker left it');
}
