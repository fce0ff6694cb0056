/**
 * A slice of an upload's work: rows of its file are read, judged and written, batch after batch, from the checkpoint on, until the file
 * ends or the time is over.
 *
 * ```
 * pieces of the file --judge--> batch being made        at most batchRows and BATCH_BYTES, and a piece
 *                                 | full
 *                                 v
 *                               batch in flight         one: its transaction is under way while the next batch is made
 * ```
 */
import { setImmediate } from 'node:timers/promises';
import type { ObjectStore } from '../../storage/objects/object-store.js';
import type { HoldEpochs } from '../../storage/postgres/fence.js';
import type { Pool } from '../../storage/postgres/pool.js';
import type { IbanKeys } from '../ibans/keys.js';
import { type Columns, compileColumns } from './debtor/columns.js';
import { readDebtor } from './debtor/read-debtor.js';
import { openTable } from './file/open-table.js';
import type { ByteSource, TableFile } from './file/table-file.js';
import { asFileFailure, FileFailure } from './file-failure.js';
import { type Checkpoint, completeWork, saveDescription, type Work } from './work.js';
import { Batch, type CheckedColumns } from './write/batch.js';
import { writeBatch } from './write/write-batch.js';

/** Of encoded rows, with which a batch is full whatever their number. */
const BATCH_BYTES = 4 * 1024 * 1024;

/**
 * The transaction in flight takes some twenty turns of the event loop, and Postgres waits for each: after so many rows, about a
 * millisecond, it gets one. With one turn for each piece (2,000 rows) Postgres and this thread worked one after the other.
 */
const ROWS_PER_TURN = 200;

export interface SliceResources {
  readonly pool: Pool;
  readonly objects: ObjectStore;
  readonly batchRows: number;
  /** What IBANs are sealed with; undefined: they are written as they are. */
  readonly ibanKeys?: IbanKeys | undefined;
  /** Undefined: the log has one owner. */
  readonly hold?: HoldEpochs | undefined;
}

export interface Slice {
  /** Whether it is time to stop, at the next end of a batch. */
  readonly isTimeOver: () => boolean;
  /** Called when a batch is committed. */
  readonly onBatch: () => void;
}

/**
 * `completed`, or `paused` with the checkpoint moved on. Whatever it throws, no transaction is under way any more.
 * @throws FileFailure the file is to blame; UploadMovedError; and what the store and Postgres throw
 */
export async function processSlice(
  work: Work,
  resources: SliceResources,
  slice: Slice,
): Promise<'completed' | 'paused'> {
  const { pool, objects } = resources;
  try {
    const table = await openTable(
      await openSource(objects, work),
      work.mediaType,
      work.checkpoint?.description,
    );
    // Before the checkpoint: a file without the right header has none.
    const columns = compileColumns(table.description.header);
    const checkpoint = work.checkpoint ?? (await saveDescription(pool, work.id, table.description));
    return await writeRows(work, table, columns, checkpoint, resources, slice);
  } catch (error) {
    throw asFileFailure(error);
  }
}

async function openSource(objects: ObjectStore, { objectKey, bytes }: Work): Promise<ByteSource> {
  const stat = await objects.stat(objectKey);
  if (stat === undefined) throw new FileFailure('file-missing', 'the file is no longer stored');
  if (stat.bytes !== bytes)
    throw new FileFailure('file-changed', `the file has ${stat.bytes} bytes; ${bytes} were uploaded`);
  return {
    bytes,
    read: (start, end) => objects.read(objectKey, end === undefined ? { start } : { start, end }),
  };
}

async function writeRows(
  work: Work,
  table: TableFile,
  columns: Columns,
  checkpoint: Checkpoint,
  { pool, batchRows, hold, ibanKeys }: SliceResources,
  slice: Slice,
): Promise<'completed' | 'paused'> {
  const checked = checkedColumns(columns);
  let spent: Batch | undefined;
  const newBatch = () => {
    const made = new Batch(work.id, work.owner, checked, { keys: ibanKeys, spent });
    spent = undefined;
    return made;
  };
  let batch = newBatch();
  let from = checkpoint.next;
  let next = from;
  let lookFirst = false;
  let inFlight: Promise<unknown> = Promise.resolve();
  const send = async () => {
    await inFlight;
    const step = { uploadId: work.id, owner: work.owner, from, next, lookFirst };
    const sent = batch;
    inFlight = writeBatch(pool, step, sent, hold).then((written) => {
      lookFirst ||= written.hasDuplicates;
      spent = sent;
      slice.onBatch();
    });
    // It is looked at when the next one is sent; an error of the file may come before.
    inFlight.catch(() => undefined);
    from = next;
    batch = newBatch();
  };

  try {
    for await (const piece of table.pieces(from)) {
      for (const { line, cells } of piece.rows) {
        batch.add(line, readDebtor(columns, cells));
        if (batch.rows % ROWS_PER_TURN === 0) await setImmediate();
      }
      piece.rows.length = 0;
      next = piece.next;
      const isTimeOver = slice.isTimeOver();
      if (batch.rows > 0 && (isTimeOver || batch.rows >= batchRows || batch.bytes >= BATCH_BYTES))
        await send();
      if (isTimeOver) {
        await inFlight;
        return 'paused';
      }
    }
    if (batch.rows > 0) await send();
    await inFlight;
  } catch (error) {
    if (!(asFileFailure(error) instanceof FileFailure)) throw error;
    // The rows before the one that is wrong are as good as any.
    if (batch.rows > 0) await send();
    await inFlight;
    throw error;
  } finally {
    await inFlight.catch(() => undefined);
  }
  await completeWork(pool, work.id);
  return 'completed';
}

function checkedColumns({ header, at }: Columns): CheckedColumns {
  const of = (index: number) => header[index] ?? '';
  return {
    iban: of(at.iban),
    bic: of(at.bic),
    email: of(at.email),
    name: of(at.name >= 0 ? at.name : at.lastName),
  };
}
