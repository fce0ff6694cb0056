/**
 * The sweep of resumable uploads: gives up what has expired, empties the store of what was given up, and forgets what was remembered
 * for long enough. What was complete, and whose last steps a crash left out, is finished instead.
 *
 * Any number of nodes may do it at once: every step is a conditional statement, or idempotent.
 */
import { OutageError } from '../../../runtime/errors.js';
import type { UploadParts } from '../parts.js';
import { settleOutrun } from './finish.js';
import { endTerminating, type TusParts } from './give-up.js';
import { TusTable, type TusUpload } from './table.js';

const EXPIRED = { code: 'expired', detail: 'the rest of the upload did not come in time' };

/** An upload whose row here was never made: the node ended between two statements. */
const ORPHANS = `
  SELECT id FROM uploads u WHERE u.state = 'receiving' AND u.via = 'tus' AND u.updated_at < now() - $1 * interval '1 ms'
    AND NOT EXISTS (SELECT FROM tus_uploads t WHERE t.upload_id = u.id)
  LIMIT $2`;

/**
 * @param limit of each kind, at once
 * @returns how many it dealt with; call again when that was any
 * @throws OutageError
 */
export async function expireTus(context: UploadParts, limit: number): Promise<number> {
  const table = new TusTable(context.pool, context.expiryMs);
  const parts: TusParts = { context, table };
  const outrun = await table.outrun(limit);
  for (const upload of outrun) await attempt(parts, upload, () => settleOutrun(parts, upload));
  const due = await table.due(limit);
  for (const upload of due) await attempt(parts, upload, () => end(parts, upload));
  const { rows } = await context.pool.query<{ readonly id: string }>(ORPHANS, [context.expiryMs, limit]);
  for (const { id } of rows) await context.uploads.failed(id, ['receiving'], EXPIRED.code, EXPIRED.detail);
  return outrun.length + due.length + rows.length;
}

async function end(parts: TusParts, upload: TusUpload): Promise<void> {
  const { table } = parts;
  if (upload.state === 'terminated') await table.forget(upload.id);
  else if (upload.state === 'terminating' || (await table.expire(upload.id))) {
    await endTerminating(parts, upload, EXPIRED);
  }
}

/** One that fails for a reason of its own holds up no other. */
async function attempt(parts: TusParts, { id }: TusUpload, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof OutageError) throw error;
    parts.context.logger.error({ err: error, upload: id }, 'the sweep of a resumable upload failed');
    await parts.table.postpone(id);
  }
}
