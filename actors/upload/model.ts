/**
 * An upload and the states it goes through.
 *
 * ```
 * receiving --bytes kept--> stored --actor begins--> processing --last row--> completed
 *     |  `--client gone, refused, expired--> failed <---------|--the file cannot be read
 *     |                        |                              |
 *     `-------DELETE-----------+------------------------------+--> cancelling --rows taken back--> cancelled
 * ```
 * An upload that is only kept (`process` is false) stays `stored`. `completed`, `failed` and `cancelled` are final: a DELETE then removes
 * the upload.
 */

export const UPLOAD_STATES = [
  'receiving',
  'stored',
  'processing',
  'completed',
  'failed',
  'cancelling',
  'cancelled',
] as const;
export type UploadState = (typeof UPLOAD_STATES)[number];

export const TRANSITIONS: Readonly<Record<UploadState, readonly UploadState[]>> = {
  receiving: ['stored', 'failed', 'cancelling'],
  stored: ['processing', 'failed', 'cancelling'],
  processing: ['completed', 'failed', 'cancelling'],
  completed: [],
  failed: [],
  cancelling: ['cancelled'],
  cancelled: [],
};

export function isFinal(state: UploadState): boolean {
  return TRANSITIONS[state].length === 0;
}

/** Whether nothing will happen to it any more, so that a DELETE removes it: it is final, or only kept. */
export function isOver({ state, process }: Pick<Upload, 'state' | 'process'>): boolean {
  return isFinal(state) || (state === 'stored' && !process);
}

export type UploadVia = 'form' | 'raw' | 'tus' | 'direct';

export const TEXT_MEDIA_TYPE = 'text/csv';
export const XLSX_MEDIA_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
/** By content. */
export type UploadMediaType = typeof TEXT_MEDIA_TYPE | typeof XLSX_MEDIA_TYPE;

/** Rows: `total` is the sum of the others. */
export interface UploadCounts {
  readonly total: number;
  readonly accepted: number;
  readonly invalid: number;
  readonly skipped: number;
}

/** A row of the table `uploads`. */
export interface Upload {
  /** UUID version 7. */
  readonly id: string;
  readonly owner: string;
  readonly state: UploadState;
  readonly via: UploadVia;
  readonly filename: string;
  readonly mediaType: UploadMediaType | undefined;
  readonly objectKey: string;
  readonly multipart: string | undefined;
  /** What has arrived; of a stored upload, the object's size. */
  readonly bytes: number;
  readonly bytesExpected: number | undefined;
  /** Hexadecimal, lower case. */
  readonly sha256: string | undefined;
  /** Of a direct upload, when the client has announced it. */
  readonly sha256Expected?: string | undefined;
  readonly process: boolean;
  readonly failure: { readonly code: string; readonly detail: string } | undefined;
  readonly counts: UploadCounts;
  readonly processedBytes: number;
  /** Counts the changes. */
  readonly version: number;
  readonly createdAt: Date;
  readonly storedAt: Date | undefined;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  readonly updatedAt: Date;
}

/** What the upload actor is told, durably, under the upload's id as key. */
export type UploadMessage =
  /** Process what is stored, or go on where it stands. Said again it does nothing that is done already. */
  | { readonly type: 'process' }
  /** Take back the rows of an upload in state `cancelling`. */
  | { readonly type: 'cancel' };

/** Where an upload's file is kept. */
export const objectKeyOf = (id: string): string => `uploads/${id}`;
