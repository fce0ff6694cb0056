/**
 * The parts of a resumable upload on their way into its multipart. What `ObjectWriter` is for a file that comes at once, this is for one
 * that comes in several requests: it goes on behind parts that are there, tells of each end of a part, and can leave off.
 *
 * ```
 * open --finish()--> finishing --the store has it--> finished
 *   |`--detach()--> detached: the multipart stays, to be gone on with
 *   `--undo(), from any mode--> undone: nothing of this writer's is left, or what a sweeper finds by `listMultiparts`
 * ```
 */
import { ObjectNotFoundError, ObjectRefusedError } from '../../../storage/objects/errors.js';
import {
  type ObjectStore,
  PART_BYTES,
  PART_BYTES_MIN,
  PARTS_MAX,
  type Part,
} from '../../../storage/objects/object-store.js';
import type { PartBudget, PartBuffer } from '../../../storage/objects/part-budget.js';
import { retrying } from './retrying.js';

const PUTS_MAX = 2;
/**
 * Of the numbers that are left, what is left out behind a writer that was overtaken: 100 at first, which is 800 MiB that it may put before it
 * finds out, and never all of them.
 */
const OVERTAKEN_SHARE = 100;

export interface AppendWriterOptions {
  readonly store: ObjectStore;
  readonly key: string;
  readonly budget: PartBudget;
  readonly outageMsMax: number;
  /** Of an earlier writer, to go on with. */
  readonly multipart: string | undefined;
  readonly parts: readonly Part[];
  /** The earlier writer may not have ended: none of its numbers is used, for a part that is put again replaces the one before. */
  readonly overtakes: boolean;
  /** What has been taken up to now is the end of a part of this number. */
  onSeal(number: number): void;
  /** A part is durable. */
  onPart(): void;
}

/** What `detach` leaves. */
export interface Detached {
  readonly multipart: string | undefined;
  readonly parts: readonly Part[];
  /** Behind the parts; valid until `close`. */
  readonly rest: Uint8Array;
}

type Mode = 'open' | 'finishing' | 'finished' | 'detached' | 'undone';

export class AppendWriter {
  readonly #options: AppendWriterOptions;
  readonly #parts: Part[];
  readonly #puts = new Set<Promise<void>>();
  /** Ends what waits for memory. */
  readonly #end = new AbortController();
  /** Whether the multipart is an earlier writer's: what this one did not begin, it does not abort. */
  readonly #isResumed: boolean;
  #multipart: string | undefined;
  /** Of the parts that were there. */
  readonly #firstParts: number;
  /** Before the first of this writer. */
  readonly #baseNumber: number;
  #lastNumber: number;
  #buffer: PartBuffer;
  #failure: unknown;
  #mode: Mode = 'open';

  constructor(options: AppendWriterOptions) {
    this.#options = options;
    this.#multipart = options.multipart;
    this.#isResumed = options.multipart !== undefined;
    this.#parts = [...options.parts];
    this.#firstParts = options.parts.length;
    const last = Math.max(0, ...options.parts.map(({ number }) => number));
    this.#baseNumber = options.overtakes ? last + Math.floor((PARTS_MAX - last) / OVERTAKEN_SHARE) : last;
    this.#lastNumber = this.#baseNumber;
    this.#buffer = options.budget.open();
  }

  get multipart(): string | undefined {
    return this.#multipart;
  }

  /** Those that are durable, in their order, up to the first that is not. */
  get parts(): readonly Part[] {
    const parts = inOrder(this.#parts);
    const end = parts.findIndex(
      ({ number }, index) =>
        index >= this.#firstParts && number !== this.#baseNumber + 1 + index - this.#firstParts,
    );
    return end === -1 ? parts : parts.slice(0, end);
  }

  /**
   * Copies what there is room for, at least a byte, as soon as there is room. Resolves with how much.
   * @throws what the store throws, of any part so far
   */
  async take(bytes: Uint8Array): Promise<number> {
    this.#assert('open');
    await this.#makeRoom();
    const buffer = this.#buffer;
    const piece = bytes.subarray(0, buffer.bytes.byteLength - buffer.used);
    buffer.bytes.set(piece, buffer.used);
    buffer.used += piece.byteLength;
    return piece.byteLength;
  }

  /** The object is whole and durable. */
  async finish(): Promise<void> {
    this.#assert('open');
    await this.#settle();
    const { store, key } = this.#options;
    this.#mode = 'finishing';
    if (this.#multipart === undefined) {
      const { bytes, used } = this.#buffer;
      await this.#retrying(() => store.put(key, bytes.subarray(0, used)));
    } else {
      if (this.#buffer.used > 0) await this.#seal();
      await this.#settle();
      await this.#complete(this.#multipart);
    }
    this.#mode = 'finished';
  }

  /** Puts what is left as a part when it may be one, and otherwise leaves it to the caller. */
  async detach(): Promise<Detached> {
    this.#assert('open');
    if (this.#buffer.used >= PART_BYTES_MIN) await this.#seal();
    await this.#settle();
    this.#mode = 'detached';
    const { bytes, used } = this.#buffer;
    return { multipart: this.#multipart, parts: inOrder(this.#parts), rest: bytes.subarray(0, used) };
  }

  /** Nothing is left of what this writer made. Never throws: what the store does not let go now is for the sweeper. */
  async undo(): Promise<void> {
    const { store, key } = this.#options;
    await Promise.all(this.#puts);
    const multipart = this.#isResumed ? undefined : this.#multipart;
    // Of a put or a completion no answer may have come, and it may have been done all the same. A multipart that an earlier writer
    // began has become the object then: the bytes that are acknowledged are nowhere else, and the next append finds them there.
    const mayBeThere = !this.#isResumed && (this.#mode === 'finishing' || this.#mode === 'finished');
    this.#mode = 'undone';
    if (multipart !== undefined) await store.abortMultipart(key, multipart).catch(() => {});
    if (mayBeThere) await store.delete(key).catch(() => {});
  }

  /** Gives the memory back; after whatever else was called. */
  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#puts);
    this.#options.budget.close(this.#buffer);
  }

  async #makeRoom(): Promise<void> {
    const { budget } = this.#options;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const { bytes, used } = this.#buffer;
      if (used < bytes.byteLength) return;
      if (used < PART_BYTES && budget.tryGrow(this.#buffer, this.#puts.size > 0)) continue;
      // Before it waits for memory, it puts what can be a part.
      if (used < PART_BYTES_MIN) await budget.grow(this.#buffer, this.#end.signal);
      else if (this.#puts.size < PUTS_MAX) await this.#seal();
      else await Promise.race(this.#puts);
    }
  }

  /** The buffer becomes a part and is on its way. */
  async #seal(): Promise<void> {
    const { store, key, budget } = this.#options;
    const buffer = this.#buffer;
    const number = this.#lastNumber + 1;
    if (number > PARTS_MAX) throw new ObjectRefusedError(`an object has at most ${PARTS_MAX} parts`);
    this.#options.onSeal(number);
    this.#multipart ??= await this.#retrying(() => store.beginMultipart(key));
    const multipart = this.#multipart;
    this.#lastNumber = number;
    this.#buffer = budget.open();
    const put: Promise<void> = this.#retrying(() =>
      store.putPart(key, multipart, number, buffer.bytes.subarray(0, buffer.used)),
    )
      .then(
        (part) => {
          this.#parts.push(part);
          this.#options.onPart();
        },
        (error: unknown) => {
          this.#failure ??= error;
        },
      )
      .finally(() => {
        this.#puts.delete(put);
        budget.close(buffer);
      });
    this.#puts.add(put);
  }

  async #settle(): Promise<void> {
    await Promise.all(this.#puts);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #complete(multipart: string): Promise<void> {
    const { store, key } = this.#options;
    const parts = inOrder(this.#parts);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    try {
      await this.#retrying(() => store.completeMultipart(key, multipart, parts));
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError)) throw error;
      // An attempt before it completed the object, and only its answer was lost.
      if ((await this.#retrying(() => store.stat(key)))?.bytes !== bytes) throw error;
    }
  }

  #retrying<T>(call: () => Promise<T>): Promise<T> {
    return retrying(this.#options.outageMsMax, call);
  }

  #assert(mode: Mode): void {
    if (this.#mode !== mode) throw new TypeError(`the writer is ${this.#mode}, not ${mode}`);
  }
}

const inOrder = (parts: readonly Part[]): readonly Part[] => [...parts].sort((a, b) => a.number - b.number);
