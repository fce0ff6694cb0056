/**
 * The paths of the operators' API. Every request goes one way: token, drain, work, and an answer whatever it throws. Without a valid
 * token nothing tells what is there.
 */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { TetherError } from '../runtime/errors.js';
import type { Logger } from '../runtime/logger.js';
import type { Answer } from './answer.js';
import { TokensApi } from './auth/api.js';
import type { Client } from './auth/client.js';
import { Exchange, type RequestHead, readHead } from './exchange.js';
import type { Intake } from './intake.js';
import { type Operations, readFilter } from './operations.js';
import { problem } from './problem.js';

export interface ApiParts {
  readonly operations: Operations;
  readonly intake: Intake;
  readonly logger: Logger;
  readonly ids: { next(nowMs: number): string };
  /** Milliseconds since the epoch. */
  now(): number;
}

interface ApiRequest {
  readonly head: RequestHead;
  /** The path's first parameter, or empty. */
  readonly id: string;
  readonly client: Client;
  readonly exchange: Exchange;
}
type Work = (request: ApiRequest) => Promise<Answer> | Answer;

const NOT_FOUND = problem('not-found', 'there is nothing here');
const DRAINING = problem('draining', 'this node is going down; another one will answer');
const POST_ONLY = problem('method-not-allowed', 'the method is POST', [['Allow', 'POST']]);
const GET_ONLY = problem('method-not-allowed', 'the method is GET or HEAD', [['Allow', 'GET, HEAD']]);
const GET_OR_POST = problem('method-not-allowed', 'the method is GET, HEAD or POST', [
  ['Allow', 'GET, HEAD, POST'],
]);
const INTERNAL = problem('internal', 'the request failed; the log of the service says why');
const UNAVAILABLE = problem('unavailable', 'a part that the answer needs is away; try again later');

export function registerApiRoutes(app: TemplatedApp, parts: ApiParts): void {
  const { operations } = parts;
  const on = (work: Work) => (res: HttpResponse, req: HttpRequest) => handle(parts, res, req, work);
  const get = (path: string, work: Work, otherwise = GET_ONLY) => {
    app.get(path, on(work));
    app.head(path, on(work));
    app.any(
      path,
      on(() => otherwise),
    );
  };
  const post = (path: string, work: Work) => {
    app.post(path, on(work));
    app.any(
      path,
      on(() => POST_ONLY),
    );
  };

  get('/api/status', () => operations.status());
  get('/api/dead-letters', ({ head }) => {
    const filter = readFilter(head.query);
    return 'body' in filter ? filter : operations.list(filter);
  });
  get('/api/dead-letters/:id', ({ id }) => operations.show(id));
  post('/api/dead-letters/:id/replay', ({ id }) => operations.replay(id));

  const { tokens: table } = operations;
  if (table !== undefined) {
    const tokens = new TokensApi(table, () => parts.ids.next(parts.now()));
    app.post(
      '/api/tokens',
      on(({ head, client, exchange }) => tokens.create(head, exchange, client)),
    );
    get('/api/tokens', () => tokens.list(), GET_OR_POST);
    post('/api/tokens/:id/revoke', ({ id }) => tokens.revoke(id));
  }
  app.any(
    '/api/*',
    on(() => NOT_FOUND),
  );
}

/** In the handler's own turn. */
function handle(parts: ApiParts, res: HttpResponse, req: HttpRequest, work: Work): void {
  const head = readHead(req, 1);
  const isClosing = parts.intake.mode !== 'open';
  const exchange = new Exchange(res, head, { head: head.method === 'head', close: isClosing });
  const run = async () => {
    const admitted = await parts.operations.admit(head.headers.get('authorization') ?? '');
    if ('refusal' in admitted) return admitted.refusal;
    if (isClosing) return DRAINING;
    return work({ head, id: head.parameters[0] ?? '', client: admitted.client, exchange });
  };
  run().then(
    (answer) => exchange.answer(answer),
    (error: unknown) => {
      parts.logger.error({ err: error }, 'a request failed');
      exchange.answer(error instanceof TetherError && error.retryable ? UNAVAILABLE : INTERNAL);
    },
  );
}
