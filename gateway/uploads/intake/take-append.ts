/**
 * The body goes on with a resumable upload: its bytes become parts of one multipart, and what is too short for a part becomes the tail, an object
 * under a key that nobody has used before.
 *
 * Nothing that an older state names is changed: parts are numbered on from it (with a distance, behind a writer that may not have ended), and
 * its tail stays. So the caller's write of the new state is the one
 * step in which the upload grows, and whoever dies before it has changed nothing.
 *
 * | left by a crash                        | found by                                                              |
 * |----------------------------------------|-----------------------------------------------------------------------|
 * | parts that no state names              | replaced by the next append, or left out when the multipart completes |
 * | a multipart that no state names        | `listMultiparts`, older than any append                               |
 * | a tail that no state names             | `list`: its key begins with the object's                              |
 * | the object, complete; its state is not | the next append, which looks for it first                             |
 */
import { createHash, randomUUID } from 'node:crypto';
import type { UploadMediaType } from '../../../actors/upload/model.js';
import { ObjectNotFoundError } from '../../../storage/objects/errors.js';
import { openHash, saveHash } from './append-hash.js';
import { AppendWriter } from './append-writer.js';
import { chunksOf } from './chunks.js';
import { assertSize, assertTable, FileCheck, HEAD_BYTES } from './file-check.js';
import type { AppendState, IntakeJob, IntakeResult } from './intake.js';
import type { JobParts } from './job.js';
import { Refusal } from './refusal.js';
import { retrying } from './retrying.js';

type Hash = Awaited<ReturnType<typeof openHash>>;
type AppendJob = IntakeJob & { readonly kind: 'append' };

/** By which the whole upload is over. */
const FATAL: readonly string[] = ['not-a-table', 'too-large', 'empty'];

/** @throws Refusal, IntakeFailedError, what the store throws */
export async function append(job: AppendJob, parts: JobParts): Promise<IntakeResult> {
  const before = await completedBefore(job, parts);
  if (before !== undefined) return before;
  const appending = new Appending(job, parts, await openHash(job.from.hashState));
  try {
    return await appending.run();
  } catch (error) {
    if (error instanceof Refusal && FATAL.includes(error.code)) await appending.forget();
    else await appending.undo();
    throw error;
  } finally {
    await appending.close();
  }
}

/** An earlier append completed the object and died before anybody knew. */
async function completedBefore(
  { objectKey, from, length, limits, partial }: AppendJob,
  parts: JobParts,
): Promise<IntakeResult | undefined> {
  const { store, outageMsMax } = parts;
  // What is a single put is put again.
  if (from.multipart === undefined || length === undefined) return undefined;
  const stat = await retrying(outageMsMax, () => store.stat(objectKey));
  if (stat?.bytes !== length) return undefined;
  const check = new FileCheck(limits, { partial });
  for await (const chunk of chunksOf(parts, objectKey)) await check.add(chunk);
  return { outcome: 'stored', ...(await check.finish()) };
}

/** The end of a part within this body: where the upload may be gone on with once the part is durable. */
interface Boundary {
  readonly number: number;
  readonly received: number;
  readonly hashState: string;
}

class Appending {
  readonly #job: AppendJob;
  readonly #parts: JobParts;
  readonly #hash: Hash;
  readonly #writer: AppendWriter;
  /** Those that no checkpoint has told of, the earliest first. */
  #boundaries: Boundary[] = [];
  #received: number;
  /** Of the file, while it is this body that begins it and it is not known what it is. */
  #head: Uint8Array[] | undefined;
  #mediaType: UploadMediaType | undefined;
  #isCheckpointed = false;

  constructor(job: AppendJob, parts: JobParts, hash: Hash) {
    this.#job = job;
    this.#parts = parts;
    this.#hash = hash;
    this.#received = job.from.received;
    this.#head = job.partial || job.from.parts.length > 0 ? undefined : [];
    this.#writer = new AppendWriter({
      store: parts.store,
      budget: parts.budget,
      outageMsMax: parts.outageMsMax,
      key: job.objectKey,
      multipart: job.from.multipart,
      parts: job.from.parts,
      overtakes: job.overtakes ?? false,
      onSeal: (number) => this.#sealed(number),
      onPart: () => this.#partDurable(),
    });
  }

  async run(): Promise<IntakeResult> {
    const job = this.#job;
    const { body } = this.#parts;
    const bodyHash = job.checksum === undefined ? undefined : createHash(job.checksum.algorithm);
    let isTailTaken = false;
    for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
      if (!isTailTaken) await this.#takeTail();
      isTailTaken = true;
      bodyHash?.update(chunk);
      await this.#take(chunk);
    }
    if (bodyHash !== undefined) {
      if (body.end === 'cut') {
        await this.undo();
        return { outcome: 'appended', state: job.from };
      }
      if (bodyHash.digest('hex') !== job.checksum?.digest) {
        throw new Refusal('wrong-checksum', 'the body does not come to its checksum');
      }
    }
    if (this.#received === job.length) {
      if (!isTailTaken) await this.#takeTail();
      return this.#complete();
    }
    return isTailTaken ? this.#detach() : { outcome: 'appended', state: job.from };
  }

  /** Of this append nothing is left, but for what a checkpoint has told of. */
  async undo(): Promise<void> {
    if (!this.#isCheckpointed) await this.#writer.undo();
  }

  /** Of the whole upload nothing is left, but for the tail of the state that it began with. */
  async forget(): Promise<void> {
    const { store, outageMsMax } = this.#parts;
    const { objectKey } = this.#job;
    const { multipart } = this.#writer;
    await this.#writer.undo();
    if (multipart !== undefined)
      await retrying(outageMsMax, () => store.abortMultipart(objectKey, multipart));
    await retrying(outageMsMax, () => store.delete(objectKey));
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }

  /** It has been counted and hashed; what follows it makes it longer. */
  async #takeTail(): Promise<void> {
    const { tailKey, tailBytes } = this.#job.from;
    if (tailKey === undefined) return;
    let bytes = 0;
    for await (const chunk of chunksOf(this.#parts, tailKey)) {
      bytes += chunk.byteLength;
      await this.#look(chunk);
      for (let start = 0; start < chunk.byteLength; ) start += await this.#writer.take(chunk.subarray(start));
    }
    if (bytes !== tailBytes) throw new ObjectNotFoundError('the end of the upload is not there as a whole');
  }

  async #take(chunk: Uint8Array): Promise<void> {
    const { length, limits } = this.#job;
    if (length !== undefined && this.#received + chunk.byteLength > length) {
      throw new Refusal('too-long', 'the upload was announced to have fewer bytes');
    }
    await this.#look(chunk);
    assertSize(this.#received + chunk.byteLength, this.#mediaType, limits);
    // The hash goes on as the parts do, so that it is right at the end of each.
    for (let start = 0; start < chunk.byteLength; ) {
      const taken = await this.#writer.take(chunk.subarray(start));
      this.#hash.update(chunk.subarray(start, start + taken));
      this.#received += taken;
      start += taken;
    }
  }

  #sealed(number: number): void {
    // Whether a body has its checksum is known at its end only, and the bytes of an earlier one are durable already.
    if (this.#job.checksum !== undefined || this.#received === this.#job.from.received) return;
    this.#boundaries.push({ number, received: this.#received, hashState: saveHash(this.#hash) });
  }

  async #look(chunk: Uint8Array): Promise<void> {
    if (this.#head === undefined || this.#mediaType !== undefined) return;
    this.#head.push(Buffer.from(chunk.subarray(0, HEAD_BYTES)));
    if (bytesOf(this.#head) >= HEAD_BYTES) this.#mediaType = await assertTable(headOf(this.#head));
  }

  #partDurable(): void {
    const { parts, multipart } = this.#writer;
    const last = parts.at(-1)?.number ?? 0;
    const boundary = this.#boundaries.filter(({ number }) => number <= last).at(-1);
    if (boundary === undefined || multipart === undefined) return;
    const { number, received, hashState } = boundary;
    this.#boundaries = this.#boundaries.filter((other) => other.number > number);
    this.#isCheckpointed = true;
    const state: AppendState = {
      received,
      multipart,
      parts: parts.filter((part) => part.number <= number),
      tailBytes: 0,
      hashState,
    };
    this.#parts.body.say({ type: 'checkpoint', state });
  }

  async #complete(): Promise<IntakeResult> {
    const { partial, limits, objectKey } = this.#job;
    const bytes = this.#received;
    if (!partial && bytes === 0) throw new Refusal('empty', 'the file is empty');
    if (this.#head !== undefined) this.#mediaType ??= await assertTable(headOf(this.#head));
    assertSize(bytes, this.#mediaType, limits);
    await this.#writer.finish();
    if (!partial && this.#mediaType === undefined) {
      // Its beginning came with an earlier request.
      this.#mediaType = await assertTable(await headOfObject(this.#parts, objectKey));
      assertSize(bytes, this.#mediaType, limits);
    }
    return { outcome: 'stored', bytes, sha256: this.#hash.digest('hex'), mediaType: this.#mediaType };
  }

  async #detach(): Promise<IntakeResult> {
    const { store, outageMsMax } = this.#parts;
    const { multipart, parts, rest } = await this.#writer.detach();
    const tailKey = `${this.#job.objectKey}.tail-${randomUUID()}`;
    if (rest.byteLength > 0) await retrying(outageMsMax, () => store.put(tailKey, rest));
    const state: AppendState = {
      received: this.#received,
      parts,
      ...(multipart === undefined ? {} : { multipart }),
      ...(rest.byteLength === 0 ? {} : { tailKey }),
      tailBytes: rest.byteLength,
      hashState: saveHash(this.#hash),
    };
    return { outcome: 'appended', state };
  }
}

const bytesOf = (chunks: readonly Uint8Array[]): number =>
  chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);

const headOf = (chunks: readonly Uint8Array[]): Uint8Array => Buffer.concat(chunks).subarray(0, HEAD_BYTES);

async function headOfObject({ store, outageMsMax }: JobParts, key: string): Promise<Uint8Array> {
  return retrying(outageMsMax, async () => {
    const stream = await store.read(key, { start: 0, end: HEAD_BYTES });
    return Buffer.concat((await stream.toArray()) as Buffer[]);
  });
}
