/**
 * What every request about uploads goes through: the token, the scope, the handler, and an answer whatever it throws.
 *
 * The body is held until the handler asks for it, so that a client without a token costs one read of its socket.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import {
  LogClosedError,
  LogFullError,
  OutageError,
  SystemModeError,
  TetherError,
} from '../../runtime/errors.js';
import type { Answer, SendOptions } from '../answer.js';
import type { Client, Scope } from '../auth/client.js';
import { Exchange, type RequestHead, readHead } from '../exchange.js';
import { problem } from '../problem.js';
import { IntakeBusyError } from './intake/errors.js';
import type { UploadContext } from './parts.js';

export interface UploadRequest {
  readonly head: RequestHead;
  readonly client: Client;
  readonly exchange: Exchange;
}

/** Resolves with the answer, or undefined when it has seen to it by itself or the client has left. */
export type UploadHandler = (request: UploadRequest) => Promise<Answer | undefined>;

const TOKEN_REQUIRED = problem('token-required', 'send a bearer token that is valid');
const DRAINING = problem('draining', 'this node is going down; another one will answer');
const SCOPE_MISSING = problem('scope-missing', 'the token has not the scope that this needs');
const UNAVAILABLE = problem('unavailable', 'a part that the answer needs is away; try again later');
const LOG_FULL = problem('log-full', 'the log is full until messages have been handled; try again later');
const BUSY = problem('uploads-busy', 'as many uploads come in as may at once; try again later');
const INTERNAL = problem('internal', 'the request failed; the log of the service says why');

/** A refusal as an exception, for where it comes from deep within a handler. */
export class RefusalError extends TetherError {
  readonly code = 'TETHER_REQUEST_REFUSED';
  readonly retryable = false;
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`the request is refused: ${answer.status}`);
    this.answer = answer;
  }
}

type HandlerContext = Pick<UploadContext, 'authenticator' | 'logger' | 'requests' | 'refusals'>;

/** To be called in the handler's own turn. `headers` are added to the answer, whatever it is; before that it is turned. */
export function handleUpload(
  context: HandlerContext,
  res: HttpResponse,
  req: HttpRequest,
  options: {
    readonly scope: Scope;
    readonly parameterCount?: number;
    readonly send?: SendOptions;
    readonly headers?: Answer['headers'];
    /** What the answer becomes, whatever it is. */
    readonly turn?: (answer: Answer) => Answer;
  },
  handler: UploadHandler,
): void {
  const head = readHead(req, options.parameterCount);
  const close = context.requests.mode !== 'open';
  const exchange = new Exchange(res, head, close ? { ...options.send, close } : options.send);
  const extra = options.headers ?? [];
  const finish = (answer: Answer | undefined) => {
    if (answer !== undefined && !exchange.isAnswered) {
      if (answer === TOKEN_REQUIRED && !exchange.isAborted) context.refusals.note(res, head);
      const turned = options.turn?.(answer) ?? answer;
      exchange.answer({ ...turned, headers: [...turned.headers, ...extra] });
    }
    context.requests.settle();
  };
  context.requests.begin();
  if (!context.requests.isTaking) {
    finish(DRAINING);
    return;
  }
  run(context, head, exchange, options.scope, handler).then(finish, (error: unknown) => {
    const answer = answerTo(error);
    if (answer === INTERNAL || answer === UNAVAILABLE) {
      context.logger.error({ err: error }, 'a request about uploads failed');
    }
    finish(answer);
  });
}

async function run(
  { authenticator }: HandlerContext,
  head: RequestHead,
  exchange: Exchange,
  scope: Scope,
  handler: UploadHandler,
): Promise<Answer | undefined> {
  const client = await authenticator.authenticate(head.headers.get('authorization') ?? '');
  if (client === undefined) return TOKEN_REQUIRED;
  if (!client.scopes.has(scope)) return SCOPE_MISSING;
  return handler({ head, client, exchange });
}

/** The log or the actors are not there yet, or no more: another node, or a later try, will do. */
function isAway(error: unknown): boolean {
  return error instanceof OutageError || error instanceof LogClosedError || error instanceof SystemModeError;
}

function answerTo(error: unknown): Answer {
  if (error instanceof RefusalError) return error.answer;
  if (error instanceof IntakeBusyError) return BUSY;
  if (error instanceof LogFullError) return LOG_FULL;
  if (isAway(error)) return UNAVAILABLE;
  return error instanceof TetherError && error.retryable ? UNAVAILABLE : INTERNAL;
}
