/**
 * Objects in an S3 store, by the `minio` client's single calls: its own multipart puts number parts from 2, and may go on with an
 * unfinished upload of another writer.
 *
 * Nothing is retried here but a request whose idle connection proves to be closed; the client's retries are off. Who has the
 * bytes retries: `ObjectWriter`, an actor, a client.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Client } from 'minio';
import { type Logger, silentLogger } from '../../../runtime/logger.js';
import { toldCall } from '../../../runtime/measure/dependency-calls.js';
import {
  assertKey,
  assertLimit,
  assertPartBytes,
  assertPartNumber,
  assertParts,
  assertPrefix,
  assertRange,
  isKey,
  LIST_MAX,
} from '../checks.js';
import { ObjectNotFoundError, ObjectRefusedError, ObjectStoreUnavailableError } from '../errors.js';
import type {
  ByteRange,
  MultipartEntry,
  ObjectEntry,
  ObjectStat,
  ObjectStore,
  Part,
  Presigner,
} from '../object-store.js';
import { S3AnswerError, toObjectError } from './answers.js';
import { encryptionHeaders } from './encryption.js';
import { multipartQuery, readMultipartPage } from './multipart-list.js';
import { ObjectStream } from './object-stream.js';
import { type CallLimits, S3Transport } from './transport.js';
import type { S3Location } from './url.js';

/** Milliseconds. */
export interface S3Limits {
  readonly connectMs: number;
  /** Silence in any call, and in a stream that is read. */
  readonly idleMs: number;
  /** A call without bytes of a file. */
  readonly callMs: number;
  /** A put of up to `PART_BYTES`. */
  readonly putMs: number;
  /** The server may be silent while it puts parts together. */
  readonly completeMs: number;
}

const DEFAULT_S3_LIMITS: S3Limits = {
  connectMs: 5_000,
  idleMs: 15_000,
  callMs: 30_000,
  putMs: 120_000,
  completeMs: 300_000,
};

/** Of the server: pages that hold nothing for us before a list is given up. */
const PAGES_MAX = 1_000;
const MULTIPART_PAGES_MAX = 100;
const EXPIRES_SECONDS_MAX = 7 * 24 * 3_600;

/** The client's own, to reach what is for its descendants only. */
class S3Client extends Client {
  partsOf(bucket: string, key: string, multipart: string) {
    return this.listParts(bucket, key, multipart);
  }
}

export class S3ObjectStore implements ObjectStore {
  readonly driver = 's3';
  readonly presigner: Presigner;
  readonly #client: S3Client;
  readonly #transport: S3Transport;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #limits: S3Limits;
  /** Headers of what makes an object. */
  readonly #encryption: Readonly<Record<string, string>>;
  readonly #logger: Logger;
  #mode: 'open' | 'closed' = 'open';

  constructor(
    location: S3Location,
    options: {
      readonly limits?: Partial<S3Limits>;
      readonly logger?: Logger;
      readonly encryption?: string;
    } = {},
  ) {
    this.#encryption = encryptionHeaders(options.encryption);
    this.#limits = { ...DEFAULT_S3_LIMITS, ...options.limits };
    this.#logger = options.logger ?? silentLogger;
    this.#transport = new S3Transport(location.secure, this.#limits.connectMs);
    this.#bucket = location.bucket;
    this.#prefix = location.prefix;
    this.#client = new S3Client({
      endPoint: location.host,
      port: location.port,
      useSSL: location.secure,
      accessKey: location.accessKey,
      secretKey: location.secretKey,
      // Given, so that the client does not ask for it before a bucket's first request.
      region: location.region,
      pathStyle: location.pathStyle,
      transport: this.#transport,
      retryOptions: { disableRetry: true },
    });
    this.presigner = {
      put: (key, expiresSeconds) => this.#presign(key, expiresSeconds, {}),
      part: async (key, multipart, number, expiresSeconds) => {
        assertMultipart(multipart);
        assertPartNumber(number);
        return this.#presign(key, expiresSeconds, { uploadId: multipart, partNumber: String(number) });
      },
    };
  }

  async prepare(): Promise<void> {
    if (!(await this.#bucketExists())) {
      await this.#call('make its bucket', () => this.#client.makeBucket(this.#bucket)).catch(
        async (error) => {
          // Made by another node meanwhile.
          if (!(error instanceof ObjectRefusedError) || !(await this.#bucketExists())) throw error;
        },
      );
      this.#logger.info({ bucket: this.#bucket }, 'the bucket is made');
    }
    // Whoever may not write learns it at the start, not at the first upload.
    const probe = `probe/${randomUUID()}`;
    await this.put(probe, Buffer.alloc(0));
    await this.delete(probe);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    assertPartBytes(bytes.byteLength);
    const at = { method: 'PUT', bucketName: this.#bucket, objectName: this.#named(key) };
    await this.#call(
      `put ${key}`,
      () => this.#client.makeRequestAsyncOmit({ ...at, headers: { ...this.#encryption } }, viewOf(bytes)),
      this.#putting(),
    );
  }

  async beginMultipart(key: string): Promise<string> {
    const name = this.#named(key);
    const multipart = await this.#call(
      `begin a multipart of ${key}`,
      () => this.#client.initiateNewMultipartUpload(this.#bucket, name, { ...this.#encryption }),
      { idleMs: this.#limits.idleMs, totalMs: this.#limits.callMs },
    );
    return String(multipart);
  }

  async putPart(key: string, multipart: string, number: number, bytes: Uint8Array): Promise<Part> {
    assertMultipart(multipart);
    assertPartNumber(number);
    assertPartBytes(bytes.byteLength);
    const part = {
      bucketName: this.#bucket,
      objectName: this.#named(key),
      // This call, and that of the abort, puts it into the URL as it is.
      uploadID: encodeURIComponent(multipart),
      partNumber: number,
    };
    const { etag } = await this.#call(
      `put part ${number} of ${key}`,
      () => this.#client.uploadPart({ ...part, headers: {} }, viewOf(bytes)),
      this.#putting(),
    );
    return { number, bytes: bytes.byteLength, etag };
  }

  async listParts(key: string, multipart: string): Promise<readonly Part[]> {
    assertMultipart(multipart);
    const name = this.#named(key);
    const parts = await this.#call(`list the parts of ${key}`, () =>
      this.#client.partsOf(this.#bucket, name, multipart),
    );
    return parts.map(({ part, size, etag }) => ({ number: part, bytes: size, etag }));
  }

  async completeMultipart(key: string, multipart: string, parts: readonly Part[]): Promise<void> {
    assertMultipart(multipart);
    assertParts(parts);
    const name = this.#named(key);
    const etags = parts.map(({ number, etag }) => ({ part: number, etag }));
    const { completeMs } = this.#limits;
    await this.#call(
      `complete ${key}`,
      () => this.#client.completeMultipartUpload(this.#bucket, name, multipart, etags),
      { idleMs: completeMs, totalMs: completeMs },
    );
  }

  async abortMultipart(key: string, multipart: string): Promise<void> {
    assertMultipart(multipart);
    const name = this.#named(key);
    const id = encodeURIComponent(multipart);
    await this.#call(`abort a multipart of ${key}`, () =>
      this.#client.abortMultipartUpload(this.#bucket, name, id),
    ).catch(unlessGone);
  }

  async listMultiparts(prefix: string, limit: number): Promise<readonly MultipartEntry[]> {
    assertPrefix(prefix);
    assertLimit(limit);
    const found: MultipartEntry[] = [];
    const at = { method: 'GET', bucketName: this.#bucket };
    // Without a prefix: with one, MinIO answers with what has exactly that key.
    let query: string | undefined = multipartQuery();
    for (let page = 0; page < MULTIPART_PAGES_MAX && query !== undefined; page++) {
      const asked = query;
      const { uploads, next } = await this.#call('list multiparts', async () => {
        const answer = await this.#client.makeRequestAsync({ ...at, query: asked });
        return readMultipartPage(await text(answer));
      });
      for (const { key: name, ...upload } of uploads) {
        const key = this.#keyOf(name);
        if (key?.startsWith(prefix) === true) found.push({ key, ...upload });
      }
      query = next;
    }
    return found.sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime()).slice(0, limit);
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const name = this.#named(key);
    if (range !== undefined) assertRange(range);
    const { start = 0, end } = range ?? {};
    if (end === start) return this.#nothingOf(key);
    const doing = `read ${key}`;
    const limits = { ...this.#calling(), streamed: true };
    let source: IncomingMessage;
    try {
      const length = end === undefined ? 0 : end - start;
      const answer = this.#client.getPartialObject.bind(this.#client, this.#bucket, name, start, length);
      source = (await this.#raw(limits, answer)) as IncomingMessage;
    } catch (error) {
      // All of the range is behind the object's end.
      if (error instanceof S3AnswerError && error.status === 416) return this.#nothingOf(key);
      throw toObjectError(error, doing);
    }
    if ((start > 0 || end !== undefined) && source.statusCode !== 206) {
      source.destroy();
      throw new ObjectRefusedError(`the object store refuses to ${doing}: it does not know ranges`);
    }
    return new ObjectStream(source, this.#limits.idleMs, (error) => toObjectError(error, doing));
  }

  async stat(key: string): Promise<ObjectStat | undefined> {
    const name = this.#named(key);
    try {
      const { size, lastModified } = await this.#call(`look at ${key}`, () =>
        this.#client.statObject(this.#bucket, name),
      );
      return { bytes: size, modifiedAt: lastModified };
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return undefined;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    const name = this.#named(key);
    await this.#call(`delete ${key}`, () => this.#client.removeObject(this.#bucket, name)).catch(unlessGone);
  }

  async list(
    prefix: string,
    { after, limit }: { readonly after?: string; readonly limit: number },
  ): Promise<readonly ObjectEntry[]> {
    assertPrefix(prefix);
    assertLimit(limit);
    if (after !== undefined) assertKey(after);
    const startAfter = after === undefined ? '' : this.#prefix + after;
    const found: ObjectEntry[] = [];
    let token = '';
    for (let page = 0; page < PAGES_MAX; page++) {
      const wanted = Math.min(LIST_MAX, limit - found.length);
      const result = await this.#call('list objects', () =>
        this.#client.listObjectsV2Query(this.#bucket, this.#prefix + prefix, token, '', wanted, startAfter),
      );
      for (const { name, size, lastModified } of result.objects) {
        // What others keep in the bucket is none of ours.
        const key = name === undefined ? undefined : this.#keyOf(name);
        if (key !== undefined)
          found.push({ key, bytes: Number(size), modifiedAt: new Date(Number(lastModified)) });
      }
      token = String(result.nextContinuationToken);
      if (found.length >= limit || !result.isTruncated || token === '') return found.slice(0, limit);
    }
    throw new ObjectStoreUnavailableError('the object store did not list objects: its list has no end');
  }

  async close(): Promise<void> {
    this.#mode = 'closed';
    this.#transport.close();
  }

  async #bucketExists(): Promise<boolean> {
    try {
      const head = { method: 'HEAD', bucketName: this.#bucket };
      await this.#call('look at its bucket', () => this.#client.makeRequestAsyncOmit(head));
      return true;
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return false;
      throw error;
    }
  }

  async #presign(key: string, seconds: number, query: Record<string, string>): Promise<string> {
    const name = this.#named(key);
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > EXPIRES_SECONDS_MAX) {
      throw new RangeError(`a URL is good for 1 to ${EXPIRES_SECONDS_MAX} seconds, not ${seconds}`);
    }
    return this.#client.presignedUrl('PUT', this.#bucket, name, seconds, query);
  }

  /** No byte of an object that is there: S3 knows no empty range. */
  async #nothingOf(key: string): Promise<Readable> {
    if ((await this.stat(key)) === undefined) throw new ObjectNotFoundError(`the object ${key} is not there`);
    return Readable.from([]);
  }

  async #call<T>(doing: string, work: () => Promise<T>, limits = this.#calling()): Promise<T> {
    try {
      return await this.#raw(limits, work);
    } catch (error) {
      throw toObjectError(error, doing);
    }
  }

  #raw<T>(limits: CallLimits, work: () => Promise<T>): Promise<T> {
    if (this.#mode === 'closed') throw new ObjectRefusedError('the object store is closed');
    return toldCall('s3', () => this.#transport.run(limits, work), isTrouble);
  }

  #calling(): CallLimits {
    return { idleMs: this.#limits.idleMs, totalMs: this.#limits.callMs, repeatable: true };
  }

  #putting(): CallLimits {
    return { idleMs: this.#limits.idleMs, totalMs: this.#limits.putMs, repeatable: true };
  }

  #named(key: string): string {
    assertKey(key);
    return this.#prefix + key;
  }

  #keyOf(name: string): string | undefined {
    const key = name.slice(this.#prefix.length);
    return name.startsWith(this.#prefix) && isKey(key) ? key : undefined;
  }
}

/** It comes from a table, and goes into a URL. @throws ObjectRefusedError */
function assertMultipart(multipart: string): void {
  if (!/^[\x21-\x7e]{1,1024}$/.test(multipart)) throw new ObjectRefusedError('a multipart has an id of S3’s');
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function unlessGone(error: unknown): void {
  if (!(error instanceof ObjectNotFoundError)) throw error;
}

/** That an object is not there, or is not that long, is an answer. */
function isTrouble(error: unknown): boolean {
  if (error instanceof S3AnswerError && error.status === 416) return false;
  return !(toObjectError(error, 'call') instanceof ObjectNotFoundError);
}
