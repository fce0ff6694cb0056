/**
 * A body that goes on with an upload, from the socket into the store and the table. The answer's offset is durable: in the store, and in
 * the row that says so (P1). Of a body that is cut, what has arrived is kept; and while it comes, what is durable is written down
 * with each renewal of the lease, so that the end of the node costs a few seconds of it at most.
 */

import { ObjectNotFoundError } from '../../../storage/objects/errors.js';
import type { Exchange } from '../../exchange.js';
import type { AppendState, IntakeStream } from '../intake/intake.js';
import { gone, locked, refusal } from './answers.js';
import { finish, withLease } from './finish.js';
import { clearForgotten, discard, giveUp, type TusParts, takeBack } from './give-up.js';
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
  const writing = new Writing(parts, taken, lease, request);
  try {
    return await writing.run();
  } catch (error) {
    throw await writing.failed(error);
  }
}

class Writing {
  readonly #parts: TusParts;
  readonly #taken: TusUpload;
  readonly #lease: string;
  readonly #request: AppendRequest;
  /** What the row has. */
  #row: AppendState;
  #bytes = 0;
  /** At the last renewal. */
  #bytesBefore = 0;
  /** No more bytes are taken until the store has caught up. */
  #isFull = false;
  #isCutOff = false;
  #stream: IntakeStream | undefined;

  constructor(parts: TusParts, taken: TusUpload, lease: string, request: AppendRequest) {
    this.#parts = parts;
    this.#taken = taken;
    this.#lease = lease;
    this.#request = request;
    this.#row = taken.append;
  }

  async run(): Promise<Appended> {
    const { table } = this.#parts;
    const result = await withLease(this.#parts, this.#taken, this.#lease, this.#open(), () => this.#renew());
    if (result.outcome === 'stored') {
      return { offset: result.bytes, expiresAt: await finish(this.#parts, this.#taken, result) };
    }
    if (result.outcome === 'appended') return this.#save(result.state);
    if (result.outcome !== 'refused') throw new TypeError(`an append was ${result.outcome}`);
    if (result.code === 'wrong-checksum' || result.code === 'too-long') {
      await this.#writeCheckpoint();
      await clearForgotten(this.#parts, this.#taken, this.#row);
      await table.release(this.#taken.id, this.#lease);
    } else {
      await giveUp(this.#parts, this.#now(), result);
    }
    throw refusal(result);
  }

  /** Lets the lease go, if it was not yet. @returns what to tell the client */
  async failed(error: unknown): Promise<unknown> {
    const { table, context } = this.#parts;
    const { id, objectKey } = this.#taken;
    await this.#writeCheckpoint();
    await table.abandon(id, this.#lease);
    if (!(error instanceof ObjectNotFoundError)) return error;
    // The upload was terminated meanwhile; or its multipart became the object, which the next request finds.
    if ((await table.find(id))?.state !== 'open') return gone();
    if ((await context.objects.stat(objectKey)) !== undefined) return locked();
    await giveUp(this.#parts, this.#now(), LOST);
    return gone();
  }

  #open(): IntakeStream {
    const { context } = this.#parts;
    const { objectKey, concat, append: from, lease } = this.#taken;
    const { exchange, length, checksum } = this.#request;
    const stream = context.intake.open({
      kind: 'append',
      objectKey,
      limits: context.limits,
      from,
      partial: concat === 'partial',
      overtakes: lease === 'abandoned',
      ...(length === undefined ? {} : { length }),
      ...(checksum === undefined ? {} : { checksum }),
    });
    this.#stream = stream;
    stream.onRoom = () => {
      this.#isFull = false;
      exchange.resume();
    };
    exchange.receive({
      chunk: (chunk) => {
        this.#bytes += chunk.byteLength;
        this.#isFull = !stream.write(chunk);
        return !this.#isFull;
      },
      end: () => stream.end(),
      abort: () => stream.abort(),
    });
    return stream;
  }

  /** False: stop. */
  async #renew(): Promise<boolean> {
    const { context, table } = this.#parts;
    const { id, uploadId, append: from } = this.#taken;
    if ((await this.#writeCheckpoint()) === false) return false;
    const lease = await table.renew(id, this.#lease);
    if (lease === 'lost') return false;
    const isSilent = this.#bytes === this.#bytesBefore && !this.#isFull;
    this.#bytesBefore = this.#bytes;
    if (lease === 'wanted' && isSilent) {
      // Of a line that went dead the other end has begun again, while this one may hear nothing of it for long.
      this.#isCutOff = true;
      return false;
    }
    if (uploadId === undefined) return true;
    // A sign of life; an upload that was cancelled takes none.
    return (await context.uploads.received(uploadId, from.received + this.#bytes)) !== undefined;
  }

  /** Whether the lease is still ours; undefined: there was nothing new to write down. */
  async #writeCheckpoint(): Promise<boolean | undefined> {
    const checkpoint = this.#stream?.checkpoint;
    if (checkpoint === undefined || checkpoint.received <= this.#row.received) return undefined;
    const { length } = this.#request;
    const isOurs = await this.#parts.table.checkpoint(this.#taken.id, this.#lease, checkpoint, length);
    if (isOurs) this.#row = checkpoint;
    return isOurs;
  }

  async #save(state: AppendState): Promise<Appended> {
    const { context, table } = this.#parts;
    const { id, uploadId, objectKey, append: from } = this.#taken;
    await clearForgotten(this.#parts, this.#taken, state);
    const { saved, expiresAt } = await table.save(id, this.#lease, state, this.#request.length);
    if (!saved) {
      const row = await table.find(id);
      if (row?.state !== 'open') {
        await discard(this.#parts, { ...this.#taken, append: state });
        throw gone();
      }
      await takeBack(this.#parts, objectKey, state, row.append);
      throw locked();
    }
    this.#row = state;
    await takeBack(this.#parts, objectKey, from, state);
    if (uploadId !== undefined && (await context.uploads.received(uploadId, state.received)) === undefined) {
      await giveUp(this.#parts, this.#now(), CANCELLED);
      throw gone();
    }
    // What arrived is saved, but its client waits for the end of what it has not sent.
    if (this.#isCutOff) throw locked();
    return { offset: state.received, expiresAt };
  }

  #now(): TusUpload {
    return { ...this.#taken, append: this.#row };
  }
}

const CANCELLED = { code: 'cancelled', detail: 'the upload was cancelled while it came in' };
const LOST = { code: 'lost', detail: 'the store has lost parts of the upload; begin a new one' };
