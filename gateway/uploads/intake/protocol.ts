/**
 * Everything that crosses between the gateway's thread and an intake thread.
 *
 * A stream is one Piscina task with a MessagePort of its own: its chunks and its end do not wait behind those of another stream, its result is
 * the task's, and when the thread ends Piscina rejects the task. A task costs about 20 us, once for a whole upload.
 *
 * | to the thread            | from the thread                                         |
 * |--------------------------|---------------------------------------------------------|
 * | `IntakeTask`, the task   | `Opened`: it runs                                       |
 * | `Chunk`, transferred     | `Room`: so many bytes have been taken                   |
 * |                          | `Multipart`: what has been begun in the store           |
 * | `End` or `Abort`, once   | `Checkpoint`: what of an append is durable              |
 * |                          | `IntakeOutcome`, the task's result                      |
 */
import type { MessagePort } from 'node:worker_threads';
import type { ObjectStoreSettings } from '../../../storage/objects/object-store.js';
import type { AppendState, IntakeJob, IntakeResult } from './intake.js';

/** Piscina's `workerData`, the same for every task of a pool. */
export interface ThreadSettings {
  readonly objects: ObjectStoreSettings;
  readonly outageMsMax: number;
  /** Of a thread, for what its streams gather into parts. */
  readonly partBytesMax: number;
}

export interface IntakeTask {
  readonly job: IntakeJob;
  readonly port: MessagePort;
}

export interface Chunk {
  readonly type: 'chunk';
  readonly bytes: Uint8Array;
}
export interface End {
  readonly type: 'end';
}
export interface Abort {
  readonly type: 'abort';
}
export type ToThread = Chunk | End | Abort;

export interface Opened {
  readonly type: 'opened';
}
export interface Room {
  readonly type: 'room';
  readonly bytes: number;
}
export interface Checkpoint {
  readonly type: 'checkpoint';
  readonly state: AppendState;
}
export interface Multipart {
  readonly type: 'multipart';
  readonly multipart: string;
}
export type FromThread = Opened | Room | Multipart | Checkpoint;

/** What became of an error: its class does not cross, so its kind does. */
export type FailureKind = 'aborted' | 'unavailable' | 'not-found' | 'refused' | 'failed';

export type IntakeOutcome =
  | { readonly type: 'result'; readonly result: IntakeResult }
  | { readonly type: 'failure'; readonly kind: FailureKind; readonly message: string };
