/** The document of the operators' API, OpenAPI 3.1, made of the routes and the schemas that check their requests. */
import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { type Answer, jsonAnswer } from '../answer.js';
import { type ProblemName, problemStatus } from '../problem.js';
import type { ApiRoute } from './route.js';

const problemSchema = z
  .object({ type: z.string(), title: z.string(), status: z.int(), detail: z.string() })
  .meta({ id: 'Problem', description: 'RFC 9457; `type` is stable' });

const EVERYWHERE: readonly ProblemName[] = [
  'token-required',
  'scope-missing',
  'not-found',
  'internal',
  'unavailable',
  'draining',
];

export function openApiDocument(routes: readonly ApiRoute[], version: string): Answer {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operation(route) };
  const document = createDocument({
    openapi: '3.1.0',
    info: { title: 'Tether operations', version, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of scope read or operate' },
      },
    },
  });
  return jsonAnswer(document);
}

function operation(route: ApiRoute): ZodOpenApiOperationObject {
  const { params, query, body } = route;
  return {
    operationId: route.id,
    summary: route.summary,
    description: `Needs the scope \`${route.scope}\`.`,
    tags: [route.tag],
    requestParams: { path: params, query },
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [route.status ?? 200]: {
        description: 'Done',
        content: { [route.contentType ?? 'application/json']: { schema: route.answer } },
      },
      ...problemResponses(route),
    },
  };
}

function problemResponses({ query, body, problems = [] }: ApiRoute): ZodOpenApiOperationObject['responses'] {
  const names = new Set<ProblemName>([...EVERYWHERE, ...problems]);
  if (Object.keys(query.shape).length > 0) names.add('invalid-query');
  if (body !== undefined) {
    for (const name of ['invalid-body', 'unsupported-media-type', 'content-too-large'] as const)
      names.add(name);
  }
  const byStatus = new Map<number, string[]>();
  for (const name of names) {
    const status = problemStatus(name);
    byStatus.set(status, [...(byStatus.get(status) ?? []), name]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      String(status),
      {
        description: ofStatus.join(', '),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  );
}
