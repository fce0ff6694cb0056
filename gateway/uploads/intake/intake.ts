/**
 * The bytes of a request on their way into the object store.
 *
 * The gateway's thread only copies what arrives and hands it to a worker thread, which hashes it, looks at what it is, and puts it
 * into the store: none of that may hold up a webhook. Between the two threads there are at most `WINDOW_BYTES` of a stream;
 * beyond that `write` says no, and the socket is paused until `onRoom`.
 */

import type { UploadMediaType } from '../../../actors/upload/model.js';
import type { Part } from '../../../storage/objects/object-store.js';

export const WINDOW_BYTES = 2 * 1024 * 1024;

/** What is to become of the bytes. Plain data. */
export type IntakeJob =
  /** The body is the file. */
  | {
      readonly kind: 'raw';
      readonly objectKey: string;
      readonly limits: IntakeLimits;
      /** Checked at the end, when the client announced it; hexadecimal. */
      readonly sha256?: string;
    }
  /** The body is multipart/form-data with one file in it. */
  | {
      readonly kind: 'form';
      readonly objectKey: string;
      readonly limits: IntakeLimits;
      /** The request's, with its boundary. */
      readonly contentType: string;
      /** Of the whole body, checked at the end, when the client announced it; hexadecimal. */
      readonly sha256?: string;
    }
  /**
   * The body goes on with a resumable upload. What has arrived is kept even when the body ends early. `from.tailKey` is the caller's to
   * delete, when it has written down the new state.
   */
  | {
      readonly kind: 'append';
      readonly objectKey: string;
      readonly limits: IntakeLimits;
      readonly from: AppendState;
      /** The writer before was taken for dead. Maybe it is alive, and still puts parts behind those of `from`. */
      readonly overtakes?: boolean;
      /** tus' Upload-Checksum: what the body must come to, or none of it is kept. */
      readonly checksum?: { readonly algorithm: 'sha1' | 'sha256' | 'md5'; readonly digest: string };
      /** Bytes that the whole upload may come to; what goes beyond is refused. */
      readonly length?: number;
      /** The upload is a part of a concatenation: its bytes alone need not look like a file. */
      readonly partial: boolean;
    }
  /** A request is sent again: its file is read and hashed, and not kept. */
  | {
      readonly kind: 'digest';
      readonly limits: IntakeLimits;
      /** Of multipart/form-data; otherwise the body is the file. */
      readonly contentType?: string;
    }
  /** No body: the object is there, and is read, hashed and looked at. */
  | { readonly kind: 'inspect'; readonly objectKey: string; readonly limits: IntakeLimits }
  /** No body: objects are written one behind the other into a new one. */
  | {
      readonly kind: 'concatenate';
      readonly objectKey: string;
      readonly limits: IntakeLimits;
      readonly sources: readonly string[];
    };

export interface IntakeLimits {
  readonly textBytesMax: number;
  readonly xlsxBytesMax: number;
}

/** Of a resumable upload, between two requests. Plain data, for a table. */
export interface AppendState {
  readonly received: number;
  readonly multipart?: string;
  readonly parts: readonly Part[];
  readonly tailKey?: string;
  readonly tailBytes: number;
  /** Of the hash, in base64. */
  readonly hashState?: string;
}

export type IntakeResult =
  /** The object is whole and durable. */
  | {
      readonly outcome: 'stored';
      readonly bytes: number;
      readonly sha256: string;
      readonly mediaType: UploadMediaType | undefined;
      /** Of a form: the file's name as the client gave it, and the other fields, at most 20 of at most 1 KiB. */
      readonly filename?: string;
      readonly fields?: Readonly<Record<string, string>>;
    }
  /** Of an append: what is kept so far, durably. */
  | { readonly outcome: 'appended'; readonly state: AppendState }
  | { readonly outcome: 'digested'; readonly bytes: number; readonly sha256: string }
  /**
   * Nothing is kept: neither object nor part of one. Of an append: by `wrong-checksum` and `too-long` nothing of this body but what is in a
   * checkpoint; by the others the whole upload is over, and only `from.tailKey` is left to the caller.
   */
  | { readonly outcome: 'refused'; readonly code: IntakeRefusal; readonly detail: string };

export type IntakeRefusal =
  | 'too-large'
  | 'empty'
  /** By its content it is neither text nor xlsx. */
  | 'not-a-table'
  /** The multipart/form-data cannot be read, has no file or more than one. */
  | 'malformed-form'
  | 'wrong-checksum'
  /** More bytes than the upload was announced to have. */
  | 'too-long';

export interface IntakeStream {
  /** `chunk` is transferred: the caller has copied it out of the socket's memory. False: write no more before `onRoom`. */
  write(chunk: Uint8Array): boolean;
  onRoom: () => void;
  /** The object has become a multipart, which a crash would leave behind. Not of an append, whose states tell it. */
  onMultipart: (multipart: string) => void;
  /** The body is complete. */
  end(): void;
  /**
   * The client is gone. An append keeps what has arrived and resolves `appended` (with a checksum, which nobody can check then, it keeps
   * nothing: the state is `from`); all else is undone, and `result` rejects.
   */
  abort(): void;
  /**
   * Of an append without a checksum: what is durable by now, a state to go on from. To be written down now and then while the bytes come, and
   * when `result` rejects: a crash then loses the bytes since.
   */
  readonly checkpoint: AppendState | undefined;
  /**
   * @throws ObjectStoreUnavailableError the store is away; what was kept is undone, now or by the sweeper
   * @throws IntakeAbortedError after `abort`
   * @throws IntakeLostError the thread ended
   * @throws ObjectNotFoundError, ObjectRefusedError the multipart of an append has been aborted, say
   */
  readonly result: Promise<IntakeResult>;
}

export interface IntakePool {
  /** Streams under way. */
  readonly active: number;
  /** @throws IntakeBusyError when `activeMax` streams are under way: 503 */
  open(job: IntakeJob): IntakeStream;
  /** Takes no new streams, waits for what is under way, then ends the threads with what is left. */
  close(deadlineMs: number): Promise<void>;
}
