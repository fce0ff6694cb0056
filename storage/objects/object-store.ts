/**
 * Where the bytes of files are kept: one interface, two drivers (`s3`, `folder`) that pass the same contract tests.
 *
 * An object appears whole or not at all, and is durable when the call that made it resolves. What is larger than a part is
 * written as a multipart: parts that are put in any order, from any process, and become the object when they are completed. A multipart that is
 * never completed takes space until it is aborted; `listMultiparts` finds it.
 *
 * Keys are Tether's own (`uploads/<uuid>` and the like): a letter first, then letters, digits, `-`, `_`, `.`, `/`, no empty part, no `.` or
 * `..`, at most 200 characters; any other is refused. What a client named a file never becomes a part of one.
 */
import type { Readable } from 'node:stream';

/** Of all parts but the last: what S3 asks. */
export const PART_BYTES_MIN = 5 * 1024 * 1024;
/** What Tether's own writers use: 10,000 of them are 78 GiB. */
export const PART_BYTES = 8 * 1024 * 1024;
export const PARTS_MAX = 10_000;

/** A part that is there: what `completeMultipart` needs of it. Plain data, for a table. */
export interface Part {
  /** From 1. */
  readonly number: number;
  readonly bytes: number;
  readonly etag: string;
}

export interface ObjectStat {
  readonly bytes: number;
  readonly modifiedAt: Date;
}

export interface ObjectEntry extends ObjectStat {
  readonly key: string;
}

export interface MultipartEntry {
  readonly key: string;
  readonly multipart: string;
  readonly startedAt: Date;
}

/** Bytes of an object, `end` exclusive; without it, to the object's end. What is behind the object's end is left out. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

/** What a client does by itself with the store, without Tether between them; `undefined` where a driver has no such thing. */
export interface Presigner {
  /** A URL to PUT the whole object to. */
  put(key: string, expiresSeconds: number): Promise<string>;
  /** A URL to PUT one part to; the answer's ETag goes into `completeMultipart`. */
  part(key: string, multipart: string, number: number, expiresSeconds: number): Promise<string>;
}

/**
 * Each call has a deadline, and rejects with
 * - `ObjectStoreUnavailableError` (an outage) when the store cannot be used now,
 * - `ObjectNotFoundError` when the object or the multipart is not there,
 * - `ObjectRefusedError` when the store refuses and will refuse again.
 */
export interface ObjectStore {
  readonly driver: 's3' | 'folder';
  readonly presigner: Presigner | undefined;
  /** Makes the bucket or directory when it is not there, and tries that it can be used. */
  prepare(): Promise<void>;
  /** At most `PART_BYTES`, as one object; replaces what was there. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  beginMultipart(key: string): Promise<string>;
  /** At most `PART_BYTES`. `bytes` is not kept and not changed. Putting a number again replaces that part. */
  putPart(key: string, multipart: string, number: number, bytes: Uint8Array): Promise<Part>;
  listParts(key: string, multipart: string): Promise<readonly Part[]>;
  /**
   * `parts` in the order of their numbers. Completing what is complete already changes nothing; some stores say so by an
   * `ObjectNotFoundError`: look with `stat`.
   */
  completeMultipart(key: string, multipart: string, parts: readonly Part[]): Promise<void>;
  /** Idempotent. */
  abortMultipart(key: string, multipart: string): Promise<void>;
  /** Multiparts that are neither completed nor aborted, at most 1,000, oldest first as far as the driver knows. */
  listMultiparts(prefix: string, limit: number): Promise<readonly MultipartEntry[]>;
  /** The caller reads the stream to its end or destroys it. An outage while it flows is an error of the stream, of the same classes. */
  read(key: string, range?: ByteRange): Promise<Readable>;
  stat(key: string): Promise<ObjectStat | undefined>;
  /** Idempotent. */
  delete(key: string): Promise<void>;
  /** In the order of their keys, those after `after`, at most 1,000. Fewer than `limit` are the last. */
  list(
    prefix: string,
    options: { readonly after?: string; readonly limit: number },
  ): Promise<readonly ObjectEntry[]>;
  /** Ends connections. Idempotent. */
  close(): Promise<void>;
}

/** What opens a store in any thread; plain data. It may hold a secret: never for a log. */
export type ObjectStoreSettings =
  | { readonly driver: 'folder'; readonly directory: string }
  | {
      readonly driver: 's3';
      /** `http(s)://accessKey:secretKey@host[:port]/bucket[/prefix][?region=...&path-style=true|false]` */
      readonly url: string;
      /** At rest, which the store is asked for with each object: `AES256`, `aws:kms` or `aws:kms:<key id>`. Undefined: as its bucket is set up. */
      readonly encryption?: string | undefined;
    };
