/**
 * The paths of the gateway, and the order in which a request is checked before anything is done with it.
 *
 * Headers, parameters and addresses are read here, in the handler's own turn: `req` is dead after it.
 */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { Logger } from '../runtime/logger.js';
import { isTraceparent } from '../runtime/traceparent.js';
import type { Answer, SendOptions } from './answer.js';
import { send } from './answer.js';
import { type OperationsOptions, registerApi } from './api/register.js';
import type { TokenRefusals } from './auth/refusals.js';
import type { ClientAddresses } from './client-address.js';
import { ConsoleFiles } from './console/serve.js';
import type { CompiledEndpoint, LiveEndpoints } from './endpoints.js';
import type { Health } from './health.js';
import { BODY_BYTES_MAX } from './large-bodies.js';
import { refuseAndLinger } from './linger.js';
import { problem } from './problem.js';
import type { UploadContext } from './uploads/parts.js';
import { registerUploadRoutes } from './uploads/routes.js';
import { type RequestContext, WebhookRequest } from './webhook-request.js';

export interface RouteParts {
  readonly context: RequestContext;
  readonly endpoints: LiveEndpoints;
  readonly addresses: ClientAddresses;
  readonly health: Health;
  readonly operations: OperationsOptions | undefined;
  readonly uploads: UploadContext | undefined;
  readonly refusals: TokenRefusals;
  readonly logger: Logger;
}

type Handler = (res: HttpResponse, req: HttpRequest) => void;

const NOT_FOUND = problem('not-found', 'there is nothing here');
const UNKNOWN_ENDPOINT = problem('not-found', 'there is no such endpoint');
const NOT_KNOWN_YET = problem(
  'unavailable',
  'this node does not know all endpoints yet, and this may be one; try again later',
);
const DRAINING = problem('draining', 'this node is going down; another one will answer');
const NETWORK_NOT_ALLOWED = problem(
  'network-not-allowed',
  'the endpoint does not take requests from this network',
);
const POST_ONLY = problem('method-not-allowed', 'the method is POST', [['Allow', 'POST']]);
const GET_ONLY = problem('method-not-allowed', 'the method is GET or HEAD', [['Allow', 'GET, HEAD']]);

/** Names of headers as bytes: uWebSockets.js takes them as they are, and would convert a string at each request. */
const CONTENT_TYPE = Buffer.from('content-type');
const CONTENT_LENGTH = Buffer.from('content-length');
const ACCEPT = Buffer.from('accept');
const TRACEPARENT = Buffer.from('traceparent');

const NO_HEADERS: readonly string[] = [];

export function registerRoutes(app: TemplatedApp, parts: RouteParts): void {
  const { health, operations, logger } = parts;
  const { intake } = parts.context;
  const closing = () => intake.mode !== 'open';
  const refuse = (res: HttpResponse, req: HttpRequest, answer: Answer) =>
    refuseRequest(res, req, answer, closing());

  /** A GET and a HEAD handler on one path; other methods are told so. */
  const get = (
    path: string,
    handler: (res: HttpResponse, req: HttpRequest, options: SendOptions) => void,
  ) => {
    app.get(path, (res, req) => handler(res, req, { close: closing() }));
    app.head(path, (res, req) => handler(res, req, { head: true, close: closing() }));
    app.any(path, (res, req) => refuse(res, req, GET_ONLY));
  };

  app.post('/webhooks/:endpoint/:token', (res, req) => {
    const endpoint = parts.endpoints.find(req.getParameter(0), req.getParameter(1));
    if (endpoint === undefined) {
      parts.context.metrics.unknownEndpoint++;
      refuse(res, req, parts.endpoints.complete ? UNKNOWN_ENDPOINT : NOT_KNOWN_YET);
      return;
    }
    const traceparent = traceparentOf(req);
    const span = parts.context.tracing?.start(endpoint.name, traceparent);
    const refusal = webhookRefusal(parts, endpoint, res, req);
    if (refusal !== undefined) {
      span?.answered(refusal.status);
      refuse(res, req, refusal);
      return;
    }
    const headers = headersOf(req, endpoint.headers);
    new WebhookRequest(parts.context, endpoint, res, headers, span?.traceparent ?? traceparent, span);
  });
  app.any('/webhooks/:endpoint/:token', (res, req) => refuse(res, req, POST_ONLY));

  get('/livez', (res, _, options) => health.live(res, options));
  get('/readyz', (res, _, options) => health.ready(res, options));
  get('/health', (res, _, options) => health.ready(res, options));
  get('/metrics', (res, req, options) => health.metrics(res, options, req.getHeader(ACCEPT)));

  registerApi(app, { operations, intake, logger, refusals: parts.refusals, now: parts.context.now });
  if (operations !== undefined && operations.token !== '') {
    const files = new ConsoleFiles();
    for (const path of ['/console', '/console/*']) {
      get(path, (res, req, options) => files.answer(res, req, options));
    }
  }
  if (parts.uploads !== undefined) registerUploadRoutes(app, parts.uploads);
  const nothing: Handler = (res, req) => refuse(res, req, NOT_FOUND);
  app.any('/*', nothing);
}

/** What is wrong with a webhook request before its body is read. */
function webhookRefusal(
  { context, addresses }: RouteParts,
  { networks, provider, bodyBytesMax, tooLarge, counts }: CompiledEndpoint,
  res: HttpResponse,
  req: HttpRequest,
): Answer | undefined {
  if (!context.intake.isTaking) {
    counts.draining++;
    return DRAINING;
  }
  if (networks !== undefined) {
    const address = addresses.of(res, req);
    if (address === undefined || !networks.holds(address)) {
      counts.networkNotAllowed++;
      return NETWORK_NOT_ALLOWED;
    }
  }
  if (!isOneOf(req.getHeader(CONTENT_TYPE), provider.mediaTypes)) {
    counts.unsupportedMediaType++;
    return problem('unsupported-media-type', `the endpoint takes ${provider.mediaTypes.join(' or ')}`);
  }
  if (Number(req.getHeader(CONTENT_LENGTH)) > bodyBytesMax) {
    counts.tooLarge++;
    return tooLarge;
  }
  return undefined;
}

/** Whether a Content-Type names one of the media types, whatever its parameters and case; of none, everything does. */
function isOneOf(contentType: string, mediaTypes: readonly string[]): boolean {
  if (mediaTypes.length === 0 || contentType === mediaTypes[0]) return true;
  const end = contentType.indexOf(';');
  return mediaTypes.includes((end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase());
}

/** The values of the headers of a provider. One that came twice is the first: what is checked and what is used are the same. */
function headersOf(req: HttpRequest, names: readonly Buffer[]): readonly string[] {
  return names.length === 0 ? NO_HEADERS : names.map((name) => req.getHeader(name));
}

function traceparentOf(req: HttpRequest): string {
  const given = req.getHeader(TRACEPARENT);
  return given !== '' && isTraceparent(given) ? given : '';
}

/** Refuses at the head of a request. What a client may still be sending then is dealt with as `linger.ts` says. */
function refuseRequest(res: HttpResponse, req: HttpRequest, answer: Answer, close: boolean): void {
  const method = req.getMethod();
  if (method === 'head' || method === 'get') {
    send(res, answer, { head: method === 'head', close });
  } else if (
    close ||
    req.getHeader('transfer-encoding') !== '' ||
    Number(req.getHeader(CONTENT_LENGTH)) > BODY_BYTES_MAX
  ) {
    refuseAndLinger(res, answer);
  } else {
    send(res, answer);
  }
}
