/**
 * Writes a stream of unknown length into one object, in bounded memory.
 *
 * What comes is gathered in parts, at most two of which are put at once; an object of less than one part is one put. The bytes of a part
 * stay in memory until it is kept, so a store that is away for a moment costs a retry and not the upload.
 *
 * ```
 * open --finish--> finishing --> finished
 *   |                  |
 *   |--an error--------+--> failed
 *   `--abort-----------+--> aborted
 * ```
 * After `failed` the owner calls `abort`, which leaves neither object nor part; what it cannot remove, the sweeper of multiparts does.
 */
import type { Clock } from '../../runtime/clock.js';
import { backoffMs } from '../../runtime/retry.js';
import {
  ObjectNotFoundError,
  ObjectRefusedError,
  ObjectStoreUnavailableError,
  ObjectWriteAbortedError,
} from './errors.js';
import { type ObjectStore, PART_BYTES, PART_BYTES_MIN, PARTS_MAX, type Part } from './object-store.js';
import type { PartBudget, PartBuffer } from './part-budget.js';

/** What is needed of a store. */
type WritableStore = Pick<
  ObjectStore,
  'put' | 'beginMultipart' | 'putPart' | 'completeMultipart' | 'abortMultipart' | 'stat' | 'delete'
>;

interface ObjectWriterOptions {
  /** Parts on their way at once. */
  readonly putsMax?: number;
  /** How long an outage may last, from the first failure of a call to its last retry. */
  readonly outageMsMax?: number;
  /** Told once, when the object has become a multipart: for those who look for what a crash left. */
  onMultipart?(multipart: string): void;
}

const RETRY = { attemptsMax: Number.MAX_SAFE_INTEGER, delayMs: 200, delayMsMax: 5_000 };

export class ObjectWriter {
  readonly #store: WritableStore;
  readonly #key: string;
  readonly #budget: PartBudget;
  readonly #clock: Clock;
  readonly #putsMax: number;
  readonly #outageMsMax: number;
  /** Aborted by a failure too: ends what waits. */
  readonly #end = new AbortController();
  readonly #puts = new Set<Promise<void>>();
  readonly #parts: Part[] = [];
  #mode: 'open' | 'finishing' | 'finished' | 'failed' | 'aborted' = 'open';
  #buffer: PartBuffer;
  #writing = false;
  #bytes = 0;
  #sealed = 0;
  readonly #onMultipart: (multipart: string) => void;
  #multipart: Promise<string> | undefined;
  #multipartId: string | undefined;
  #finishing: Promise<boolean> | undefined;
  /** What makes the object was tried. */
  #mayBeThere = false;
  #aborting: Promise<void> | undefined;

  constructor(
    store: WritableStore,
    key: string,
    budget: PartBudget,
    clock: Clock,
    options: ObjectWriterOptions = {},
  ) {
    this.#store = store;
    this.#key = key;
    this.#budget = budget;
    this.#clock = clock;
    this.#putsMax = options.putsMax ?? 2;
    this.#outageMsMax = options.outageMsMax ?? 30_000;
    this.#onMultipart = (multipart) => options.onMultipart?.(multipart);
    this.#buffer = budget.open();
  }

  /** What has been taken so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Copies `chunk`. When it returns a promise, the chunk is taken when that resolves, and nothing may be written before.
   * @throws ObjectStoreUnavailableError the store is away for too long, or there is no memory; ObjectRefusedError
   */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#mode !== 'open') return Promise.reject(this.#reason());
    if (this.#writing) throw new Error('an object writer takes one chunk after the other');
    const taken = this.#take(chunk, 0);
    return taken === chunk.length ? undefined : this.#takeRest(chunk, taken);
  }

  /** The object is whole and durable when it resolves. */
  async finish(): Promise<{ readonly bytes: number }> {
    if (this.#mode !== 'open') throw this.#reason();
    if (this.#writing) throw new Error('an object writer is finished when its last chunk is taken');
    this.#mode = 'finishing';
    this.#finishing = this.#finish().then(
      () => {
        this.#mode = 'finished';
        return true;
      },
      (error) => {
        this.#fail(error);
        return false;
      },
    );
    if (!(await this.#finishing)) throw this.#reason();
    return { bytes: this.#bytes };
  }

  /** Waits for what is under way, for no part may come after it. Does nothing to an object that is finished. Idempotent. */
  abort(): Promise<void> {
    this.#aborting ??= this.#abort();
    return this.#aborting;
  }

  /** Takes what there is room for; how far it came. */
  #take(chunk: Uint8Array, from: number): number {
    let taken = from;
    while (taken < chunk.length) {
      const { bytes, used } = this.#buffer;
      if (used === bytes.length) {
        if (used === PART_BYTES) {
          if (this.#puts.size >= this.#putsMax) break;
          this.#seal();
        } else if (!this.#budget.tryGrow(this.#buffer, this.#sealed > 0)) break;
        continue;
      }
      const piece = chunk.subarray(taken, taken + bytes.length - used);
      bytes.set(piece, used);
      this.#buffer.used += piece.length;
      taken += piece.length;
    }
    this.#bytes += taken - from;
    return taken;
  }

  async #takeRest(chunk: Uint8Array, from: number): Promise<void> {
    this.#writing = true;
    try {
      for (let taken = from; taken < chunk.length; taken = this.#take(chunk, taken)) {
        // Before it waits for memory, it puts what can be a part.
        if (this.#buffer.used < PART_BYTES_MIN) await this.#budget.grow(this.#buffer, this.#end.signal);
        else if (this.#puts.size < this.#putsMax) this.#seal();
        else await Promise.race(this.#puts);
        this.#end.signal.throwIfAborted();
      }
    } catch (error) {
      this.#fail(error);
      throw this.#reason();
    } finally {
      this.#writing = false;
    }
  }

  /** The buffer becomes a part and is on its way. */
  #seal(): void {
    const buffer = this.#buffer;
    this.#buffer = this.#budget.open();
    const number = ++this.#sealed;
    const put = this.#putPart(number, buffer).then(
      (part) => void this.#parts.push(part),
      (error) => this.#fail(error),
    );
    const ended = put.finally(() => {
      this.#puts.delete(ended);
      this.#budget.close(buffer);
    });
    this.#puts.add(ended);
  }

  async #putPart(number: number, buffer: PartBuffer): Promise<Part> {
    if (number > PARTS_MAX) throw new ObjectRefusedError(`the object has more than ${PARTS_MAX} parts`);
    this.#multipart ??= this.#retried(() => this.#store.beginMultipart(this.#key));
    const multipart = await this.#multipart;
    if (this.#multipartId === undefined) this.#onMultipart(multipart);
    this.#multipartId = multipart;
    const bytes = buffer.bytes.subarray(0, buffer.used);
    return this.#retried(() => this.#store.putPart(this.#key, multipart, number, bytes));
  }

  async #finish(): Promise<void> {
    const buffer = this.#buffer;
    if (this.#sealed === 0) {
      this.#mayBeThere = true;
      await this.#retried(() => this.#store.put(this.#key, buffer.bytes.subarray(0, buffer.used)));
      this.#budget.close(buffer);
      return;
    }
    while (this.#puts.size >= this.#putsMax) await Promise.race(this.#puts);
    this.#end.signal.throwIfAborted();
    if (buffer.used > 0) this.#seal();
    await Promise.all(this.#puts);
    this.#end.signal.throwIfAborted();
    await this.#complete(this.#multipartId ?? '');
  }

  async #complete(multipart: string): Promise<void> {
    const parts = this.#parts.sort((a, b) => a.number - b.number);
    let attempts = 0;
    this.#mayBeThere = true;
    await this.#retried(async () => {
      try {
        attempts++;
        await this.#store.completeMultipart(this.#key, multipart, parts);
      } catch (error) {
        // An attempt before it may have completed the object, and only its answer was lost.
        if (!(error instanceof ObjectNotFoundError) || attempts === 1) throw error;
        if ((await this.#store.stat(this.#key))?.bytes !== this.#bytes) throw error;
      }
    });
  }

  async #abort(): Promise<void> {
    if (this.#mode !== 'finished') {
      this.#end.abort(new ObjectWriteAbortedError(`the writing of ${this.#key} was aborted`));
    }
    if ((await this.#finishing) ?? false) return;
    this.#mode = 'aborted';
    await Promise.all(this.#puts);
    this.#budget.close(this.#buffer);
    const multipart = this.#multipartId;
    // Once, and what goes wrong is not told: nobody waits for it, and a sweeper finds what stays.
    if (multipart !== undefined) await this.#store.abortMultipart(this.#key, multipart).catch(() => {});
    if (this.#mayBeThere) await this.#store.delete(this.#key).catch(() => {});
  }

  async #retried<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#end;
    let since: number | undefined;
    for (let failures = 1; ; failures++) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ObjectStoreUnavailableError)) throw error;
        since ??= this.#clock.now();
        const delay = backoffMs(failures, RETRY, Math.random);
        if (this.#clock.now() + delay - since > this.#outageMsMax) throw error;
        await this.#wait(delay, signal);
      }
    }
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const aborted = () => {
        cancel();
        reject(signal.reason);
      };
      const cancel = this.#clock.after(ms, () => {
        signal.removeEventListener('abort', aborted);
        resolve();
      });
      signal.addEventListener('abort', aborted, { once: true });
    });
  }

  /** The first failure is the one to tell. */
  #fail(error: unknown): void {
    if (this.#mode === 'open' || this.#mode === 'finishing') this.#mode = 'failed';
    this.#end.abort(error);
  }

  #reason(): unknown {
    return this.#end.signal.aborted
      ? this.#end.signal.reason
      : new Error(`an object writer that is ${this.#mode} takes nothing`);
  }
}
