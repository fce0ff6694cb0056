/**
 * Takes back what a cancelled upload has written, in steps that each hold few locks for a short time.
 *
 * There is no index of debtors by upload: it would cost every accepted row an insertion for what happens seldom. But all of an upload's
 * debtors have ids between what stood in the sequence when its file was opened and what stands there now, so a walk through the
 * primary key finds them. Nothing is added meanwhile: a batch is only written while its upload is processing.
 *
 * A debtor with a transaction is no more ours to take back: a payment may be under way. It stays, and counts as accepted.
 */
import type { Pool } from '../../storage/postgres/pool.js';
import { saveTakenBack, type Work } from './work.js';

const IDS_PER_STEP = 20_000;
const LINES_PER_STEP = 20_000;

const LAST_ID = 'SELECT last_value::float8 AS last FROM debtors_id_seq';
const DELETE_DEBTORS =
  'DELETE FROM debtors WHERE id > $1 AND id <= $2 AND upload_id = $3 AND transaction_id IS NULL';
const COUNT_LEFT =
  'SELECT count(*)::float8 AS count FROM debtors WHERE id > $1 AND id <= $2 AND upload_id = $3';
const LINES =
  'SELECT coalesce(min(line), 1)::float8 AS first, coalesce(max(line), 0)::float8 AS last FROM upload_rejects WHERE upload_id = $1';
const DELETE_REJECTS = 'DELETE FROM upload_rejects WHERE upload_id = $1 AND line >= $2 AND line < $3';

/**
 * The number of debtors that stay, or undefined when time was over before the end: then the next call goes on, by one step at least.
 * @throws UploadMovedError, and what Postgres says
 */
export async function takeBack(
  pool: Pool,
  { id, checkpoint }: Work,
  isTimeOver: () => boolean,
): Promise<number | undefined> {
  // Without a checkpoint no row was written.
  if (checkpoint === undefined) return 0;
  const lastId = (await one<{ last: number }>(pool, LAST_ID, [])).last;
  let left = checkpoint.left ?? 0;
  for (let from = checkpoint.debtorsAfter; from < lastId; from += IDS_PER_STEP) {
    const range = [from, from + IDS_PER_STEP, id];
    await pool.query(DELETE_DEBTORS, range);
    left += (await one<{ count: number }>(pool, COUNT_LEFT, range)).count;
    if (!isTimeOver()) continue;
    await saveTakenBack(pool, id, from + IDS_PER_STEP, left);
    return undefined;
  }
  const { first, last } = await one<{ first: number; last: number }>(pool, LINES, [id]);
  for (let from = first; from <= last; from += LINES_PER_STEP) {
    await pool.query(DELETE_REJECTS, [id, from, from + LINES_PER_STEP]);
    if (isTimeOver()) return undefined;
  }
  return left;
}

async function one<Row extends object>(pool: Pool, sql: string, values: readonly unknown[]): Promise<Row> {
  const { rows } = await pool.query<Row>(sql, values);
  const [row] = rows;
  if (row === undefined) throw new TypeError('an aggregate without a row');
  return row;
}
