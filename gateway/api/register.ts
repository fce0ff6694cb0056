/**
 * The routes of the operators' API on the server. Every request goes one way: token, scope, drain, its parts checked, work, and an answer
 * whatever it throws. Without a valid token nothing tells what is there, but for the document of the API, which is no secret.
 */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { TetherError } from '../../runtime/errors.js';
import type { Logger } from '../../runtime/logger.js';
import { type Answer, jsonAnswer, noStore } from '../answer.js';
import type { Client } from '../auth/client.js';
import type { TokenRefusals } from '../auth/refusals.js';
import { Exchange, type RequestHead, readHead } from '../exchange.js';
import type { Intake } from '../intake.js';
import { problem } from '../problem.js';
import { type Admission, type AdmissionOptions, admissionOf, admit } from './admission.js';
import { liveRoute } from './live.js';
import { meRoute } from './me.js';
import { openApiDocument } from './openapi.js';
import { type ApiRoute, type AuditEntry, type Change, parameterNames, STREAMED } from './route.js';
import { type NodeView, statusRoutes } from './status.js';

export interface OperationsOptions extends AdmissionOptions {
  /** Beside those of `view`. */
  readonly routes: readonly ApiRoute[];
  /** What the node is doing; without it nothing tells. */
  readonly view?: NodeView;
  /** Where changes are noted, beside the log of the service. */
  readonly audit?: { record(entry: AuditEntry): Promise<void> };
  /** Of the release, for the document. */
  readonly version: string;
}

export interface ApiParts {
  readonly operations: OperationsOptions | undefined;
  readonly intake: Intake;
  readonly logger: Logger;
  readonly refusals: TokenRefusals;
  /** Milliseconds since the epoch. */
  now(): number;
}

const NOT_FOUND = problem('not-found', 'there is nothing here');
const DRAINING = problem('draining', 'this node is going down; another one will answer');
const INTERNAL = problem('internal', 'the request failed; the log of the service says why');
const UNAVAILABLE = problem('unavailable', 'a part that the answer needs is away; try again later');
const DOCUMENT_PATH = '/api/openapi.json';

type Work = (head: RequestHead, exchange: Exchange, client: Client) => Promise<unknown>;

export function registerApi(app: TemplatedApp, parts: ApiParts): void {
  const routes = routesOf(parts);
  const admission = admissionOf(parts.operations);
  for (const [path, ofPath] of byPath(routes)) {
    const count = parameterNames(path).length;
    const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
    const allowed: string[] = [];
    for (const route of ofPath) {
      const work: Work = (head, exchange, client) => run(parts, route, head, exchange, client);
      const handler = (res: HttpResponse, req: HttpRequest) =>
        handle(parts, admission, res, req, count, route.scope, work);
      switch (route.method) {
        case 'get':
          app.get(pattern, handler);
          app.head(pattern, handler);
          allowed.push('GET', 'HEAD');
          break;
        case 'delete':
          app.del(pattern, handler);
          allowed.push('DELETE');
          break;
        default:
          app[route.method](pattern, handler);
          allowed.push(route.method.toUpperCase());
      }
    }
    const refusal = methodRefusal(allowed);
    app.any(pattern, (res, req) => handle(parts, admission, res, req, count, undefined, async () => refusal));
  }
  if (parts.operations !== undefined && admission.operator.isSet) {
    const document = openApiDocument(routes, parts.operations.version);
    for (const on of ['get', 'head'] as const) {
      app[on](DOCUMENT_PATH, (res, req) => {
        const close = parts.intake.mode !== 'open';
        new Exchange(res, readHead(req), { head: on === 'head', close }).answer(document);
      });
    }
  }
  app.any('/api/*', (res, req) => handle(parts, admission, res, req, 0, undefined, async () => NOT_FOUND));
}

/** Of the API as it is on this node, in the order of the document. */
function routesOf({ operations, intake }: ApiParts): readonly ApiRoute[] {
  if (operations === undefined) return [];
  const { view, routes } = operations;
  if (view === undefined) return [meRoute, ...routes];
  return [meRoute, ...statusRoutes(view), liveRoute({ status: () => view.status(), intake }), ...routes];
}

async function run(
  { operations, logger, now }: ApiParts,
  route: ApiRoute,
  head: RequestHead,
  exchange: Exchange,
  client: Client,
): Promise<unknown> {
  const parameters: string[] = [];
  for (const parameter of head.parameters) {
    try {
      parameters.push(decodeURIComponent(parameter));
    } catch {
      return NOT_FOUND;
    }
  }
  const audit = async (change: Change) => {
    const entry = { at: now(), client: client.name, before: null, after: null, ...change };
    logger.info(entry, 'an operator changed something');
    try {
      await operations?.audit?.record(entry);
    } catch (error) {
      logger.error({ err: error, ...entry }, 'a change is not in the audit log');
    }
  };
  return route.run({ parameters, head, exchange, client, audit });
}

/** In the handler's own turn. */
function handle(
  parts: ApiParts,
  admission: Admission,
  res: HttpResponse,
  req: HttpRequest,
  parameterCount: number,
  scope: 'read' | 'operate' | undefined,
  work: Work,
): void {
  const head = readHead(req, parameterCount);
  const close = parts.intake.mode !== 'open';
  const exchange = new Exchange(res, head, { head: head.method === 'head', close });
  const answer = async (): Promise<Answer | typeof STREAMED> => {
    const admitted = await admit(admission, head.headers.get('authorization') ?? '', scope);
    if ('refusal' in admitted) {
      if (admitted.isStranger && !exchange.isAborted) parts.refusals.note(res, head);
      return admitted.refusal;
    }
    if (!parts.intake.isTaking) return DRAINING;
    const outcome = await work(head, exchange, admitted.client);
    return outcome === STREAMED || isAnswer(outcome) ? outcome : noStore(jsonAnswer(outcome ?? null));
  };
  answer().then(
    (outcome) => {
      if (outcome !== STREAMED) exchange.answer(outcome);
    },
    (error: unknown) => {
      parts.logger.error({ err: error }, 'a request failed');
      exchange.answer(error instanceof TetherError && error.retryable ? UNAVAILABLE : INTERNAL);
    },
  );
}

function isAnswer(outcome: unknown): outcome is Answer {
  return typeof outcome === 'object' && outcome !== null && 'contentType' in outcome && 'headers' in outcome;
}

function methodRefusal(allowed: readonly string[]): Answer {
  const words = allowed.length === 1 ? allowed[0] : `${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}`;
  return problem('method-not-allowed', `the method is ${words}`, [['Allow', allowed.join(', ')]]);
}

function byPath(routes: readonly ApiRoute[]): ReadonlyMap<string, readonly ApiRoute[]> {
  const paths = new Map<string, ApiRoute[]>();
  for (const route of routes) {
    const ofPath = paths.get(route.path) ?? [];
    if (ofPath.some(({ method }) => method === route.method)) {
      throw new TypeError(`${route.method} ${route.path} is there twice`);
    }
    paths.set(route.path, [...ofPath, route]);
  }
  return paths;
}
