/**
 * Uploads that somebody has to look after, because whoever did is gone: a process that was killed between two steps.
 *
 * Each look is one statement that takes what it finds, so that of several nodes one gets an upload. What is taken and then
 * not seen to is found again after the same time.
 */
import type { Pool } from '../../storage/postgres/pool.js';
import type { UploadVia } from './model.js';

export interface StaleUpload {
  readonly id: string;
  readonly objectKey: string;
  readonly multipart: string | undefined;
}

interface StaleRow {
  readonly id: string;
  readonly object_key: string;
  readonly multipart: string | null;
}

/** A row under way is locked by its writer; it is not stale, and nobody waits for it. */
const taken = (where: string) => `
  WITH stale AS MATERIALIZED (
    SELECT id FROM uploads WHERE ${where} ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
  )`;

/** Its multipart is as it was: who takes it aborts that. */
const ABANDONED = `
  ${taken("state = 'receiving' AND via = ANY ($2) AND updated_at < now() - $3 * interval '1 millisecond'")}
  UPDATE uploads u SET state = 'failed', failure_code = $4, failure_detail = $5, finished_at = now(),
    version = version + 1, updated_at = now()
  FROM stale WHERE u.id = stale.id RETURNING u.id, u.object_key, u.multipart`;

const UNSENT = `
  ${taken(
    "((state = 'stored' AND process AND enqueued_at IS NULL) OR state = 'cancelling') AND updated_at < now() - $2 * interval '1 millisecond'",
  )}
  UPDATE uploads u SET updated_at = now() FROM stale WHERE u.id = stale.id RETURNING u.id, u.state`;

const GIVEN_UP = `
  WITH dead AS MATERIALIZED (
    SELECT u.id, d.cause_code FROM uploads u JOIN dead_letters d ON d.key = u.id::text
    WHERE u.state IN ('stored', 'processing') AND d.actor = 'upload' AND d.state = 'waiting'
    ORDER BY u.id LIMIT $1
  )
  UPDATE uploads u SET state = 'failed', failure_code = 'processing-failed',
    failure_detail = 'the file could not be processed: ' || dead.cause_code, finished_at = now(),
    version = version + 1, updated_at = now()
  FROM dead WHERE u.id = dead.id AND u.state IN ('stored', 'processing') RETURNING u.id`;

export class StaleUploads {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Those that gave no sign of life for so long are failed from now on; the caller removes what they left in the store. */
  async failAbandoned(
    via: readonly UploadVia[],
    silentMs: number,
    failure: { readonly code: string; readonly detail: string },
    limit: number,
  ): Promise<readonly StaleUpload[]> {
    const { rows } = await this.#pool.query<StaleRow>(ABANDONED, [
      limit,
      via,
      silentMs,
      failure.code,
      failure.detail,
    ]);
    return rows.map((row) => ({
      id: row.id,
      objectKey: row.object_key,
      multipart: row.multipart ?? undefined,
    }));
  }

  /** Those that wait for a message to the actor that was never sent, or that had no effect. */
  async takeUnsent(
    waitingMs: number,
    limit: number,
  ): Promise<readonly { readonly id: string; readonly type: 'process' | 'cancel' }[]> {
    const { rows } = await this.#pool.query<{ id: string; state: string }>(UNSENT, [limit, waitingMs]);
    return rows.map(({ id, state }) => ({ id, type: state === 'stored' ? 'process' : 'cancel' }));
  }

  /** Those whose message is a dead letter: nobody will go on with them. Gives their ids. */
  async failGivenUp(limit: number): Promise<readonly string[]> {
    const { rows } = await this.#pool.query<{ id: string }>(GIVEN_UP, [limit]);
    return rows.map(({ id }) => id);
  }

  /** Of these multiparts of the object store, those that an upload still writes to. */
  async multipartsInUse(multiparts: readonly string[]): Promise<ReadonlySet<string>> {
    const { rows } = await this.#pool.query<{ multipart: string }>(
      `SELECT multipart FROM uploads WHERE state = 'receiving' AND multipart = ANY ($1)
       UNION SELECT multipart FROM tus_uploads WHERE state = 'open' AND multipart = ANY ($1)`,
      [multiparts],
    );
    return new Set(rows.map(({ multipart }) => multipart));
  }
}
