/**
 * A body that goes on with an upload, from the socket into the store and the table. The answer's offset is durable: in the store, and in
 * the row that says so (P1). Of a body that is cut, what has arrived is kept.
 */

import { ObjectNotFoundError } from '../../../storage/objects/errors.js';
import type { Exchange } from '../../exchange.js';
import type { RefusalError } from '../handle.js';
import type { AppendState } from '../intake/intake.js';
import { gone, locked, refusal } from './answers.js';
import { finish, withLease } from './finish.js';
import { deleteTail, giveUp, type TusParts, takeBack } from './give-up.js';
import type { AppendChecksum } from './protocol.js';
import type { TusUpload } from './table.js';

export interface AppendRequest {
  /** Its body is the bytes. */
  readonly exchange: Exchange;
  /** Of the whole upload, when it is known by now. */
  readonly length: number | undefined;
  readonly checksum: AppendChecksum | undefined;
}

/** Where the upload stands. */
export interface Appended {
  readonly offset: number;
  readonly expiresAt: Date | undefined;
}

/**
 * The lease is let go, whatever comes of it.
 * @throws RefusalError; OutageError when the store or the database is away
 */
export async function append(
  parts: TusParts,
  taken: TusUpload,
  lease: string,
  request: AppendRequest,
): Promise<Appended> {
  const { context, table } = parts;
  const { exchange, length, checksum } = request;
  const { id, objectKey, append: from } = taken;
  try {
    const stream = context.intake.open({
      kind: 'append',
      objectKey,
      limits: context.limits,
      from,
      partial: taken.concat === 'partial',
      ...(length === undefined ? {} : { length }),
      ...(checksum === undefined ? {} : { checksum }),
    });
    let bytes = 0;
    stream.onRoom = () => exchange.resume();
    exchange.receive({
      chunk: (chunk) => {
        bytes += chunk.byteLength;
        return stream.write(chunk);
      },
      end: () => stream.end(),
      abort: () => stream.abort(),
    });
    const result = await withLease(parts, taken, lease, stream, () => from.received + bytes);
    switch (result.outcome) {
      case 'stored':
        return { offset: result.bytes, expiresAt: await finish(parts, taken, result) };
      case 'appended':
        return await save(parts, taken, lease, result.state, length);
      case 'refused':
        if (result.code === 'wrong-checksum' || result.code === 'too-long') await table.release(id, lease);
        else await giveUp(parts, taken, result);
        throw refusal(result.code);
    }
  } catch (error) {
    // Nothing to let go when it went as it should.
    await table.abandon(id, lease);
    throw error instanceof ObjectNotFoundError ? await explain(parts, taken) : error;
  }
}

async function save(
  parts: TusParts,
  taken: TusUpload,
  lease: string,
  state: AppendState,
  length: number | undefined,
): Promise<Appended> {
  const { context, table } = parts;
  const { saved, expiresAt } = await table.save(taken.id, lease, state, length);
  if (!saved) {
    await takeBack(parts, taken, state);
    throw (await table.find(taken.id))?.state === 'open' ? locked() : gone();
  }
  const { tailKey } = taken.append;
  if (tailKey !== state.tailKey) await deleteTail(parts, tailKey);
  const { uploadId } = taken;
  if (uploadId !== undefined && (await context.uploads.received(uploadId, state.received)) === undefined) {
    await giveUp(
      parts,
      { ...taken, append: state },
      { code: 'cancelled', detail: 'the upload was cancelled' },
    );
    throw gone();
  }
  return { offset: state.received, expiresAt };
}

/** The multipart is not there. Its upload was terminated meanwhile, or it became the object, which the next request finds. */
async function explain(parts: TusParts, taken: TusUpload): Promise<RefusalError> {
  const { context, table } = parts;
  if ((await table.find(taken.id))?.state !== 'open') return gone();
  if ((await context.objects.stat(taken.objectKey)) !== undefined) return locked();
  await giveUp(parts, taken, {
    code: 'lost',
    detail: 'the store has lost parts of the upload; begin a new one',
  });
  return gone();
}
