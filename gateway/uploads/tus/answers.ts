/** What the handlers of tus say no with, and the header that every answer about an upload that expires has. */
import { isUuid } from '../../../storage/uuid.js';
import { type Client, mayTouch } from '../../auth/client.js';
import type { RefusalError } from '../handle.js';
import type { IntakeRefusal } from '../intake/intake.js';
import { refused } from './protocol.js';
import type { TusTable, TusUpload } from './table.js';

export const gone = (): RefusalError => refused('upload-gone', 'the upload has ended; begin a new one');
export const notFound = (): RefusalError => refused('not-found', 'there is no such upload');
export const locked = (): RefusalError =>
  refused('upload-locked', 'another request writes to the upload; ask again for its offset');
export const wrongOffset = (): RefusalError =>
  refused('wrong-offset', 'Upload-Offset is not where the upload stands; ask with HEAD');

/** Of a body, or a file, that the intake refused. */
export function refusal(code: IntakeRefusal): RefusalError {
  switch (code) {
    case 'wrong-checksum':
      return refused(
        'wrong-checksum',
        'the body does not come to its Upload-Checksum; nothing of it is kept',
      );
    case 'too-long':
      return refused('content-too-large', 'the upload was announced to have fewer bytes');
    case 'too-large':
      return refused('content-too-large', 'a file of its kind has fewer bytes; the upload has ended');
    case 'empty':
      return refused('empty-file', 'the file is empty');
    default:
      return refused(
        'unsupported-media-type',
        'by its content the file is neither text nor xlsx; the upload has ended',
      );
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
