/** What the handlers of tus say no with, and the header that every answer about an upload that expires has. */
import { isUuid } from '../../../storage/uuid.js';
import { type Client, mayTouch } from '../../auth/client.js';
import { RefusalError } from '../handle.js';
import type { IntakeResult } from '../intake/intake.js';
import { refusalAnswer } from '../refusal-answer.js';
import { refused as refuse } from './protocol.js';
import type { TusTable, TusUpload } from './table.js';

type Refused = Extract<IntakeResult, { readonly outcome: 'refused' }>;

export const gone = (): RefusalError => refuse('upload-gone', 'the upload has ended; begin a new one');
export const notFound = (): RefusalError => refuse('not-found', 'there is no such upload');
export const locked = (): RefusalError =>
  refuse('upload-locked', 'another request writes to the upload; ask again for its offset');
export const wrongOffset = (): RefusalError =>
  refuse('wrong-offset', 'Upload-Offset is not where the upload stands; ask with HEAD');

/** Of a body, or a file, that the intake refused. */
export function refusal(refused: Refused): RefusalError {
  switch (refused.code) {
    case 'wrong-checksum':
      return refuse('wrong-checksum', 'the body does not come to its Upload-Checksum; nothing of it is kept');
    case 'too-long':
      return refuse('content-too-large', 'the upload was announced to have fewer bytes');
    default:
      return new RefusalError(refusalAnswer(refused));
  }
}

/** @throws RefusalError 404 for what is not there and what another client has: nobody learns which ids there are */
export async function findFor(client: Client, table: TusTable, id: string): Promise<TusUpload> {
  const upload = isUuid(id) ? await table.find(id) : undefined;
  if (upload === undefined || !mayTouch(client, upload.owner)) throw notFound();
  return upload;
}

/** No more bytes are taken, though no sweep has looked at it yet. */
export function isExpired({ expiresAt, lease }: TusUpload): boolean {
  return lease !== 'held' && expiresAt !== undefined && expiresAt.getTime() <= Date.now();
}
