/** What the handlers of one upload begin with: the upload that the path names, if its client may see it. */
import type { TemplatedApp } from 'uWebSockets.js';
import type { Upload } from '../../actors/upload/model.js';
import { isUuid } from '../../storage/uuid.js';
import type { Answer } from '../answer.js';
import { mayTouch, type Scope } from '../auth/client.js';
import { problem } from '../problem.js';
import { handleUpload, RefusalError, type UploadRequest } from './handle.js';
import type { UploadContext } from './parts.js';

export type OneUploadHandler = (upload: Upload, request: UploadRequest) => Promise<Answer | undefined>;

const NO_UPLOAD = problem('not-found', 'there is no upload of this id');

/**
 * The upload of the path's first parameter. Another client's is not there, like one that does not exist: an id tells nothing.
 * @throws RefusalError
 */
export async function findUpload(
  { uploads }: Pick<UploadContext, 'uploads'>,
  { head, client }: Pick<UploadRequest, 'head' | 'client'>,
): Promise<Upload> {
  const id = head.parameters[0] ?? '';
  const upload = isUuid(id) ? await uploads.get(id) : undefined;
  if (upload === undefined || !mayTouch(client, upload.owner)) throw new RefusalError(NO_UPLOAD);
  return upload;
}

/** GET and HEAD of a path whose first parameter is an upload. */
export function onUpload(
  app: TemplatedApp,
  path: string,
  context: UploadContext,
  handler: OneUploadHandler,
): void {
  for (const method of ['get', 'head'] as const) {
    onOne(app, method, path, context, 'uploads:read', handler);
  }
}

export function onOne(
  app: TemplatedApp,
  method: 'get' | 'head' | 'post' | 'del',
  path: string,
  context: UploadContext,
  scope: Scope,
  handler: OneUploadHandler,
): void {
  const options = { scope, parameterCount: 1, send: { head: method === 'head' } };
  app[method](path, (res, req) =>
    handleUpload(context, res, req, options, async (request) =>
      handler(await findUpload(context, request), request),
    ),
  );
}
