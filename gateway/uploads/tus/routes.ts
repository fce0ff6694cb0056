/**
 * The paths of tus. The method is the one that `X-HTTP-Method-Override` names, when it is there, so every method leads here first; and
 * every answer says `Tus-Resumable`.
 */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { Answer } from '../../answer.js';
import { Exchange, readHead } from '../../exchange.js';
import { problem } from '../../problem.js';
import { handleUpload, RefusalError, type UploadRequest } from '../handle.js';
import type { UploadContext } from '../parts.js';
import { create } from './create.js';
import type { TusParts } from './give-up.js';
import { head } from './head.js';
import { checkVersion, methodOf } from './headers.js';
import { patch } from './patch.js';
import { optionsAnswer, RESUMABLE_HEADERS, TUS_PATH } from './protocol.js';
import { TusTable } from './table.js';
import { terminate } from './terminate.js';

type Handle = (request: UploadRequest) => Promise<Answer | undefined>;

export function registerTus(app: TemplatedApp, context: UploadContext): void {
  const parts: TusParts = { context, table: new TusTable(context.pool, context.expiryMs) };
  route(app, context, TUS_PATH, 'OPTIONS, POST', (request) =>
    methodOf(request.head) === 'post' ? () => create(parts, request) : undefined,
  );
  route(app, context, `${TUS_PATH}/:id`, 'OPTIONS, HEAD, PATCH, DELETE', (request) => {
    const [id = ''] = request.head.parameters;
    switch (methodOf(request.head)) {
      case 'head':
        return () => head(parts, request, id);
      case 'patch':
        return () => patch(parts, request, id);
      case 'delete':
        return () => terminate(parts, request, id);
      default:
        return undefined;
    }
  });
}

function route(
  app: TemplatedApp,
  context: UploadContext,
  path: string,
  allow: string,
  choose: (request: UploadRequest) => Handle | undefined,
): void {
  const refusal = new RefusalError(
    problem('method-not-allowed', `the method is ${allow}`, [['Allow', allow]]),
  );
  const handler = (res: HttpResponse, req: HttpRequest) => {
    const method = req.getHeader('x-http-method-override') || req.getMethod();
    if (method.toLowerCase() === 'options') {
      // Asked before anything else, by clients that look for what there is: it takes no token.
      new Exchange(res, readHead(req)).answer(optionsAnswer(context.limits));
      return;
    }
    const options = {
      scope: 'uploads:write',
      parameterCount: path === TUS_PATH ? 0 : 1,
      headers: RESUMABLE_HEADERS,
      send: { head: req.getMethod() === 'head' },
      ...(method.toLowerCase() === 'head' ? { turn: waitRatherThanBeginAnew } : {}),
    } as const;
    handleUpload(context, res, req, options, async (request) => {
      const chosen = choose(request);
      if (chosen === undefined) throw refusal;
      checkVersion(request.head.headers);
      return chosen(request);
    });
  };
  // Each by its name: a path with a parameter and a method of its own would go before `any`.
  for (const method of ['get', 'head', 'post', 'put', 'patch', 'del', 'options', 'any'] as const) {
    app[method](path, handler);
  }
}

/**
 * Whatever is away comes back, and what is kept of the upload is still there. But tus-js-client begins a new upload, from its first byte,
 * when HEAD is answered with 503; with 423 it asks again.
 */
function waitRatherThanBeginAnew(answer: Answer): Answer {
  return answer.status.startsWith('503 ') ? LATER : answer;
}

const LATER = problem('upload-locked', 'a part that the answer needs is away; ask again later', [
  ['Retry-After', '5'],
]);
