/**
 * Writes a batch of judged rows, in one transaction: all of its rows, the upload's counts and its checkpoint, or nothing.
 *
 * ```
 * BEGIN, hold the partition's epoch          where many nodes read the log
 * one advisory lock for the owner            uploads of one owner take turns, so that no two accept an IBAN
 * find hits                                  one statement, see `hits.ts`; what they mean is decided in `skips.ts`
 * SAVEPOINT                                  unless `lookFirst`: then nobody has looked for debtors that wait, and an index finds them
 * COPY debtors, COPY upload_rejects          straight into the tables, not by way of a temporary one
 * UPDATE uploads                             only where the upload is still processing, and still at the position that was read
 * COMMIT
 * ```
 * The last condition keeps rows and counts right by itself: of two workers that read the same position one writes, and the other gets an
 * `UploadMovedError`. But each costs the other its tries, so that a node that has lost the upload could make a dead letter of it that another
 * one is at work on: the epoch keeps it out. A worker that ends anywhere leaves the checkpoint of the last batch that is whole, and the rows up to there.
 */
import { TetherError } from '../../../runtime/errors.js';
import { PostgresConflictError, PostgresQueryError } from '../../../storage/postgres/errors.js';
import type { HoldEpochs } from '../../../storage/postgres/fence.js';
import { inTransaction, type Pool, type Transaction } from '../../../storage/postgres/pool.js';
import type { Reason } from '../debtor/debtor.js';
import type { Position } from '../file/table-file.js';
import type { UploadCounts } from '../model.js';
import { type Batch, REJECT_COLUMNS } from './batch.js';
import { findHits, hasOtherForms } from './hits.js';
import { decideSkips, isDuplicate } from './skips.js';

/** The upload is not in the state and at the position that were read: it is being cancelled, or another worker went on with it. */
export class UploadMovedError extends TetherError {
  readonly code = 'TETHER_UPLOAD_MOVED';
  readonly retryable = true;
}

export interface BatchStep {
  readonly uploadId: string;
  readonly owner: string;
  /** Of the checkpoint that was read. */
  readonly from: Position;
  /** Behind the batch. */
  readonly next: Position;
  /**
   * Look for debtors that wait, and for IBANs that stand in the batch twice, before writing. Without it the batch is written as if there were
   * none, which saves a look-up for each row, and once more when that was wrong: worth it as long as no batch of the file had a duplicate.
   */
  readonly lookFirst?: boolean;
}

export interface WrittenBatch {
  readonly counts: UploadCounts;
  /** Whether a debtor of the batch waits already, in the tables or in an earlier row. */
  readonly hasDuplicates: boolean;
}

const NO_SKIPS: ReadonlyMap<number, Reason> = new Map();
const UNIQUE_VIOLATION = '23505';
/** Of the advisory locks' two numbers, the one that is Tether's for owners of uploads: the letters "tupl". */
const OWNER_LOCKS = 0x7475706c;
/** Others of this owner take their turns before; each holds the lock for a batch. */
const LOCK_MS_MAX = 20_000;

/**
 * Statistics lag behind tables that grow by the million, and a batch has enough values to make a scan of the whole table look cheap:
 * the planner is held to the indexes.
 */
const SETTINGS = `SET LOCAL lock_timeout = ${LOCK_MS_MAX}; SET LOCAL enable_seqscan = off`;

const LOCK_OWNER = `SELECT pg_advisory_xact_lock(${OWNER_LOCKS}, hashtext($1))`;

const ADVANCE = `
  UPDATE uploads SET total = total + $4 + $5 + $6, accepted = accepted + $4, invalid = invalid + $5, skipped = skipped + $6,
    processed_bytes = $7, checkpoint = jsonb_set(checkpoint, '{next}', $3::jsonb), version = version + 1, updated_at = now()
  WHERE id = $1 AND state = 'processing' AND checkpoint -> 'next' = $2::jsonb`;

/**
 * Of the batch nothing can be used again, whatever comes of it.
 * @throws UploadMovedError, FencedError, PostgresConflictError, IbanKeyUnknownError, and what Postgres says; then nothing is written
 */
export async function writeBatch(
  pool: Pool,
  step: BatchStep,
  batch: Batch,
  hold?: HoldEpochs,
): Promise<WrittenBatch> {
  return inTransaction(pool, async (transaction) => {
    await hold?.(transaction);
    await transaction.query(SETTINGS);
    await transaction.query(LOCK_OWNER, [step.owner]);
    const { skips, hasDuplicates } = await writeDebtors(transaction, step, batch);
    batch.skip(skips);
    const accepted = batch.debtors.count - skips.size;
    await copy(
      transaction,
      `upload_rejects (${REJECT_COLUMNS})`,
      batch.rejects.count,
      batch.rejects.chunks(),
    );
    const counts = {
      total: batch.rows,
      accepted,
      invalid: batch.invalid,
      skipped: skips.size,
    };
    const { rowCount } = await transaction.query(ADVANCE, [
      step.uploadId,
      JSON.stringify(step.from),
      JSON.stringify(step.next),
      counts.accepted,
      counts.invalid,
      counts.skipped,
      step.next.byte,
    ]);
    if (rowCount !== 1) throw new UploadMovedError('the upload is not where this worker left it');
    return { counts, hasDuplicates };
  });
}

interface WrittenDebtors {
  readonly skips: ReadonlyMap<number, Reason>;
  readonly hasDuplicates: boolean;
}

async function writeDebtors(
  transaction: Transaction,
  step: BatchStep,
  batch: Batch,
): Promise<WrittenDebtors> {
  if (step.lookFirst !== true) {
    const { hits, waiting } = await findHits(transaction, step, batch, false);
    const skips = hits.length === 0 ? NO_SKIPS : decideSkips(batch, hits);
    await transaction.query('SAVEPOINT unlooked');
    try {
      await copyDebtors(transaction, batch, skips);
      if (waiting || !(await hasOtherForms(transaction, batch))) return { skips, hasDuplicates: false };
      await transaction.query('ROLLBACK TO unlooked');
    } catch (error) {
      if (!(error instanceof PostgresConflictError && error.sqlstate === UNIQUE_VIOLATION)) throw error;
      await transaction.query('ROLLBACK TO unlooked');
    }
  }
  const { hits } = await findHits(transaction, step, batch, true);
  const skips = decideSkips(batch, hits);
  await copyDebtors(transaction, batch, skips);
  return { skips, hasDuplicates: [...skips.values()].some(({ code }) => isDuplicate(code)) };
}

function copyDebtors(
  transaction: Transaction,
  batch: Batch,
  skips: ReadonlyMap<number, Reason>,
): Promise<void> {
  const accepted = batch.debtors.count - skips.size;
  return copy(
    transaction,
    `debtors (${batch.debtorColumns})`,
    accepted,
    batch.debtors.chunks(batch.kept(skips)),
  );
}

async function copy(
  transaction: Transaction,
  table: string,
  count: number,
  chunks: Iterable<Uint8Array>,
): Promise<void> {
  if (count === 0) return;
  try {
    const copied = await transaction.copyFrom(`COPY ${table} FROM STDIN`, chunks);
    if (copied !== count) throw new TypeError(`of ${count} rows ${copied} were copied`);
  } catch (error) {
    // As a rule the same row fails again; here the next try finds the other worker's rows, or its checkpoint.
    if (error instanceof PostgresQueryError && error.sqlstate === UNIQUE_VIOLATION) {
      throw new PostgresConflictError(`another worker was faster: ${error.constraint}`, UNIQUE_VIOLATION);
    }
    throw error;
  }
}
