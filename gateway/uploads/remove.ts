/**
 * `DELETE /uploads/{id}`: cancels an upload that is not over, and removes one that is.
 *
 * | the upload is                      | what happens                                                      | answer         |
 * |------------------------------------|-------------------------------------------------------------------|----------------|
 * | receiving, stored, processing      | `cancelling`; the actor is told, and takes its rows back           | 202 with it    |
 * | cancelling                         | the actor is told again: a crash may have come before              | 202 with it    |
 * | completed, failed, cancelled, kept | its file and the list of its errors go; debtors stay               | 204            |
 *
 * What is in the store goes first, then the row: a crash or an outage in between leaves the row, and the next DELETE does the rest.
 */
import type { TemplatedApp } from 'uWebSockets.js';
import { isOver, type Upload } from '../../actors/upload/model.js';
import type { ObjectStore } from '../../storage/objects/object-store.js';
import { type Answer, jsonAnswer, noStore } from '../answer.js';
import { problem } from '../problem.js';
import { onOne } from './find.js';
import { uploadJson } from './json.js';
import type { UploadContext } from './parts.js';

const REMOVED: Answer = { status: '204 No Content', contentType: '', headers: [], body: '' };
const GONE = problem('not-found', 'there is no upload of this id');
/** An upload moves forward only: it passes fewer states than this while a request looks at it. */
const LOOKS_MAX = 4;
/** Of one upload in the store, beside its file. */
const LEFT_MAX = 1_000;

export function registerRemove(app: TemplatedApp, context: UploadContext): void {
  onOne(app, 'del', '/uploads/:id', context, 'uploads:write', async (found) => {
    let upload: Upload | undefined = found;
    for (let look = 0; look < LOOKS_MAX && upload !== undefined; look++) {
      const answer = isOver(upload) ? await remove(context, upload) : await cancel(context, upload);
      if (answer !== undefined) return answer;
      upload = await context.uploads.get(upload.id);
    }
    return GONE;
  });
}

/** Undefined when it has moved on meanwhile. */
async function cancel(context: UploadContext, upload: Upload): Promise<Answer | undefined> {
  const { uploads, objects, enqueue, now } = context;
  const cancelling = upload.state === 'cancelling' ? upload : await uploads.cancel(upload.id);
  if (cancelling === undefined) return undefined;
  await enqueue(upload.id, 'cancel');
  // Nobody but the client writes to it, who is told so by the store from now on.
  if (upload.via === 'direct' && upload.multipart !== undefined) {
    await objects.abortMultipart(upload.objectKey, upload.multipart);
  }
  return noStore(jsonAnswer(uploadJson(cancelling, now()), '202 Accepted'));
}

/** Undefined when somebody else has removed it. */
async function remove({ uploads, objects }: UploadContext, upload: Upload): Promise<Answer | undefined> {
  await emptyStore(objects, upload);
  return (await uploads.remove(upload.id)) ? REMOVED : undefined;
}

/** Idempotent. What was never completed too: parts, and what resumable uploads keep under the key and a dot. */
async function emptyStore(objects: ObjectStore, { objectKey, multipart }: Upload): Promise<void> {
  if (multipart !== undefined) await objects.abortMultipart(objectKey, multipart);
  for (const entry of await objects.listMultiparts(objectKey, LEFT_MAX)) {
    if (entry.key === objectKey) await objects.abortMultipart(objectKey, entry.multipart);
  }
  for (const { key } of await objects.list(`${objectKey}.`, { limit: LEFT_MAX })) await objects.delete(key);
  await objects.delete(objectKey);
}
