/** `HEAD /uploads/tus/{id}`: where an upload stands, for a client that goes on. Once it has all of its bytes this is an acknowledgement. */
import type { Answer } from '../../answer.js';
import type { UploadRequest } from '../handle.js';
import { findFor, gone, isExpired, locked, notFound } from './answers.js';
import { isWhole, settled } from './finish.js';
import type { TusParts } from './give-up.js';
import { emptyAnswer, expiresHeader, type Headers } from './protocol.js';
import type { TusUpload } from './table.js';

export async function head(parts: TusParts, { client, head }: UploadRequest, id: string): Promise<Answer> {
  const upload = await settled(parts, await findFor(client, parts.table, id));
  if (upload === undefined) throw notFound();
  if (upload.state === 'terminating' || upload.state === 'terminated') throw gone();
  if (upload.state === 'open' && upload.concat !== 'final') {
    if (isExpired(upload)) throw gone();
    // All is there, and another request makes the file of it.
    if (isWhole(upload)) throw locked();
  }
  // Where HEAD is said by another method, 200 would promise a body.
  return emptyAnswer(head.method === 'head' ? '200 OK' : '204 No Content', headersOf(upload));
}

function headersOf({ state, concat, concatHeader, length, metadata, append, expiresAt }: TusUpload): Headers {
  const headers: [string, string][] = [];
  // Of a final upload that is being made there is no offset.
  if (concat !== 'final' || state === 'complete') headers.push(['Upload-Offset', String(append.received)]);
  headers.push(length === undefined ? ['Upload-Defer-Length', '1'] : ['Upload-Length', String(length)]);
  if (concatHeader !== undefined) headers.push(['Upload-Concat', concatHeader]);
  if (metadata !== '') headers.push(['Upload-Metadata', metadata]);
  return [...headers, ...expiresHeader(expiresAt)];
}
