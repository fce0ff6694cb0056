/**
 * `GET /uploads/{id}/errors.csv`: every row of the file that did not become a debtor, and why, in the order of the file.
 *
 * A line for each reason: `line,outcome,code,column,value,message`. UTF-8 with a byte order mark, without which spreadsheets read another
 * encoding. While the upload is processed, what there is so far.
 *
 * The rows come from the table in pages, by the line after which the next begins, as fast as the client reads: a million of them take no
 * more memory than a page. Each page has a transaction of its own: none is held while the client is slow.
 */

import type { TemplatedApp } from 'uWebSockets.js';
import { create as contentDisposition } from 'content-disposition';
import { INVALID_REASONS } from '../../actors/upload/debtor/reasons.js';
import { cleanFilename } from '../../actors/upload/filename.js';
import type { Upload } from '../../actors/upload/model.js';
import { SKIP_REASONS } from '../../actors/upload/write/skips.js';
import { inTransaction, type Pool } from '../../storage/postgres/pool.js';
import type { Answer } from '../answer.js';
import { pump } from '../response-stream.js';
import { csvRow } from './csv.js';
import { onUpload } from './find.js';
import type { UploadRequest } from './handle.js';
import type { UploadContext } from './parts.js';

/** By code, for people. */
const MESSAGES: Readonly<Record<string, string>> = { ...INVALID_REASONS, ...SKIP_REASONS };

/** Keeps the event loop, which webhooks share, for some milliseconds. */
const PAGE_ROWS = 1_000;
const BOM = '\ufeff';
const COLUMNS = ['line', 'outcome', 'code', 'column', 'value', 'message'];

/** `ORDER BY line` would mean the column of the result, which no index has. */
const PAGE = `
  SELECT line::float8, outcome, reasons FROM upload_rejects
  WHERE upload_id = $1 AND line > $2 ORDER BY upload_rejects.line LIMIT ${PAGE_ROWS}`;
/**
 * Until the table is analyzed, Postgres takes the rows of a new upload for few and would rather sort all that are left for each page: 45 ms
 * a page of 200,000 rows, and 490 ms of a million, instead of 1 ms.
 */
const IN_ORDER_OF_INDEX = 'SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off';

interface RejectRow {
  readonly line: number;
  readonly outcome: string;
  readonly reasons: readonly { readonly code: string; readonly column: string; readonly value: string }[];
}

export function registerErrorsCsv(app: TemplatedApp, context: UploadContext): void {
  onUpload(app, '/uploads/:id/errors.csv', context, (upload, request) =>
    sendErrors(context, upload, request),
  );
}

async function sendErrors(
  { pool }: UploadContext,
  upload: Upload,
  { exchange }: UploadRequest,
): Promise<undefined> {
  const pages = pagesOf(pool, upload.id);
  // Asked before the head goes out: an outage is still a 503 then.
  const first = await pages.next();
  const stream = exchange.stream(headOf(upload.filename));
  if (stream === undefined) return undefined;
  await pump(stream, from(first, pages));
  return undefined;
}

async function* from(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}

async function* pagesOf(pool: Pool, uploadId: string): AsyncGenerator<Uint8Array, void> {
  let text = BOM + csvRow(COLUMNS);
  let after = 0;
  for (;;) {
    const { rows } = await inTransaction(pool, async (transaction) => {
      await transaction.query(IN_ORDER_OF_INDEX);
      return transaction.query<RejectRow>(PAGE, [uploadId, after]);
    });
    for (const row of rows) text += linesOf(row);
    yield Buffer.from(text);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last.line;
    text = '';
  }
}

function linesOf({ line, outcome, reasons }: RejectRow): string {
  return reasons
    .map(({ code, column, value }) => {
      const message = Object.hasOwn(MESSAGES, code) ? MESSAGES[code] : undefined;
      return csvRow([String(line), outcome, code, column, value, message ?? '']);
    })
    .join('');
}

function headOf(filename: string): Omit<Answer, 'body'> {
  const name = cleanFilename(filename).replace(/\.[A-Za-z0-9]{1,10}$/, '');
  return {
    status: '200 OK',
    contentType: 'text/csv; charset=utf-8; header=present',
    headers: [
      ['Content-Disposition', contentDisposition(`${name}-errors.csv`)],
      ['X-Content-Type-Options', 'nosniff'],
      ['Cache-Control', 'no-store'],
    ],
  };
}
