/** `GET /uploads/{id}`: an upload as JSON. Its ETag is its version: a client that asks often is told 304 while nothing changes. */
import type { TemplatedApp } from 'uWebSockets.js';
import { type Answer, jsonAnswer, noStore } from '../answer.js';
import { isNoneMatch } from './conditions.js';
import { onUpload } from './find.js';
import { uploadJson } from './json.js';
import type { UploadContext } from './parts.js';

export function registerRead(app: TemplatedApp, context: UploadContext): void {
  onUpload(app, '/uploads/:id', context, async (upload, { head }) => {
    // Weak: rate and time left go on while the version stands.
    const etag = `W/"${upload.version}"`;
    if (!isNoneMatch(head.headers.get('if-none-match'), etag)) return notModified(etag);
    const answer = noStore(jsonAnswer(uploadJson(upload, context.now())));
    return { ...answer, headers: [...answer.headers, ['ETag', etag]] };
  });
}

function notModified(etag: string): Answer {
  return { status: '304 Not Modified', contentType: '', headers: [['ETag', etag]], body: '' };
}
