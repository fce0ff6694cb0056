/**
 * `DELETE /uploads/tus/{id}`: the client is done with it, however far it came. What has become an upload is cancelled, or removed when
 * it is over, as `DELETE /uploads/{id}` does.
 */
import { isOver } from '../../../actors/upload/model.js';
import type { Answer } from '../../answer.js';
import type { UploadRequest } from '../handle.js';
import { findFor, gone } from './answers.js';
import { giveUp, type TusParts } from './give-up.js';
import { emptyAnswer } from './protocol.js';

const TERMINATED = { code: 'terminated', detail: 'the client gave the upload up' };

export async function terminate(parts: TusParts, { client }: UploadRequest, id: string): Promise<Answer> {
  const { context, table } = parts;
  const upload = await findFor(client, table, id);
  if (upload.state === 'terminating' || upload.state === 'terminated') throw gone();
  await giveUp(parts, upload, TERMINATED);
  const known = upload.uploadId === undefined ? undefined : await context.uploads.get(upload.uploadId);
  if (known?.storedAt !== undefined) {
    if (isOver(known)) {
      await context.objects.delete(known.objectKey);
      await context.uploads.remove(known.id);
    } else if ((await context.uploads.cancel(known.id)) !== undefined) {
      await context.enqueue(known.id, 'cancel');
    }
  }
  return emptyAnswer('204 No Content', []);
}
