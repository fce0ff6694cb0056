/**
 * The one way to a payload, wherever it is: whoever shows or sends one goes through here.
 *
 * | the event's payload is    | what comes                                                                       |
 * |---------------------------|----------------------------------------------------------------------------------|
 * | in Postgres               | it                                                                               |
 * | in a segment              | it: one range of the object, or the cache. Checked by its block's CRC, its id and its length |
 * | in one that is over       | `PayloadGoneError`                                                               |
 * | in one, the store is away | `ObjectStoreUnavailableError`, an outage                                          |
 * | damaged, or not there     | `ArchiveDamagedError`                                                            |
 *
 * Bounded: 8 fetches at once, 30 s for each, 8 MiB of blocks kept. Neighbours were archived together, so a page of events is a fetch or two. Whether
 * a segment is over is asked each time, once for those who ask at the same time: what the retention says holds for what is kept here too.
 */
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../runtime/logger.js';
import { ObjectNotFoundError, ObjectStoreUnavailableError } from '../../storage/objects/errors.js';
import type { ObjectStore } from '../../storage/objects/object-store.js';
import type { Queryable } from '../../storage/postgres/pool.js';
import { ArchiveBusyError, ArchiveDamagedError, ArchiveFormatError, PayloadGoneError } from './errors.js';
import { FORMAT_VERSION, openBlock, payloadIn } from './format.js';
import type { PayloadPlace } from './place.js';

/** What is needed of an event. */
export interface EventWithPayload {
  readonly id: string;
  /** Undefined when it is not in Postgres. */
  readonly payload: Uint8Array | undefined;
  /** Undefined when it is not archived. */
  readonly place: PayloadPlace | undefined;
}

const FETCHES_MAX = 8;
const FETCH_MS_MAX = 30_000;
const CACHE_BYTES_MAX = 8 * 1024 * 1024;

/** Leaves pool and store to who made them. */
export class Payloads {
  readonly #pool: Queryable;
  readonly #open: () => Promise<Pick<ObjectStore, 'read'>>;
  readonly #logger: Logger;
  readonly #blocks = new LRUCache<string, Buffer>({
    maxSize: CACHE_BYTES_MAX,
    sizeCalculation: (block) => Math.max(block.length, 1),
  });
  readonly #fetches = new Map<string, Promise<Buffer>>();
  readonly #questions = new Map<string, Promise<string>>();

  /** @param open gives the store, each time that something is fetched */
  constructor(pool: Queryable, open: () => Promise<Pick<ObjectStore, 'read'>>, logger: Logger) {
    this.#pool = pool;
    this.#open = open;
    this.#logger = logger;
  }

  /** @throws PayloadGoneError, ObjectStoreUnavailableError, ArchiveDamagedError, ArchiveFormatError, ArchiveBusyError, and what Postgres says */
  async payloadOf({ id, payload, place }: EventWithPayload): Promise<Uint8Array> {
    if (payload !== undefined) return payload;
    if (place === undefined) throw new PayloadGoneError(`the payload of event ${id} is kept nowhere`);
    const objectKey = await this.#objectOf(place.segment);
    try {
      const block = await this.#block(objectKey, place);
      return payloadIn(block, id, place.payloadAt, place.payloadLength);
    } catch (error) {
      if (error instanceof ArchiveDamagedError) {
        const { segment, blockAt } = place;
        this.#logger.error({ err: error, event: id, segment, objectKey, blockAt }, 'the archive is damaged');
      }
      throw error;
    }
  }

  #objectOf(segment: string): Promise<string> {
    const underWay = this.#questions.get(segment);
    if (underWay !== undefined) return underWay;
    const question = this.#askFor(segment).finally(() => this.#questions.delete(segment));
    this.#questions.set(segment, question);
    return question;
  }

  async #askFor(segment: string): Promise<string> {
    const { rows } = await this.#pool.query<{ key: string; format: number }>(
      `SELECT object_key AS key, format FROM archive_segments WHERE id = $1 AND state = 'written'`,
      [segment],
    );
    const [row] = rows;
    if (row === undefined) throw new PayloadGoneError(`segment ${segment} of the archive is over`);
    if (row.format !== FORMAT_VERSION)
      throw new ArchiveFormatError(
        `segment ${segment} is of format ${row.format}, and this release reads ${FORMAT_VERSION}`,
      );
    return row.key;
  }

  async #block(objectKey: string, place: PayloadPlace): Promise<Buffer> {
    const name = `${place.segment} ${place.blockAt}`;
    const kept = this.#blocks.get(name);
    if (kept !== undefined) return kept;
    const underWay = this.#fetches.get(name);
    if (underWay !== undefined) return underWay;
    if (this.#fetches.size >= FETCHES_MAX)
      throw new ArchiveBusyError(`${FETCHES_MAX} payloads are being fetched already`);
    const fetch = this.#fetch(objectKey, place).finally(() => this.#fetches.delete(name));
    this.#fetches.set(name, fetch);
    const block = await fetch;
    this.#blocks.set(name, block);
    return block;
  }

  async #fetch(objectKey: string, { segment, blockAt, blockLength }: PayloadPlace): Promise<Buffer> {
    const store = await this.#open();
    try {
      return openBlock(await rangeOf(store, objectKey, blockAt, blockLength));
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError)) throw error;
      // It may be over by now; a question that is under way may be older than that.
      await this.#askFor(segment);
      throw new ArchiveDamagedError(`the object ${objectKey} of the archive is not there`);
    }
  }
}

async function rangeOf(
  store: Pick<ObjectStore, 'read'>,
  key: string,
  start: number,
  length: number,
): Promise<Buffer> {
  const stream = await store.read(key, { start, end: start + length });
  const late = setTimeout(() => {
    stream.destroy(
      new ObjectStoreUnavailableError(`the object store did not read ${key}: it takes too long`),
    );
  }, FETCH_MS_MAX);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks);
}
