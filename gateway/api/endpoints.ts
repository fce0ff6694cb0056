/**
 * Endpoints over the operators' API: those of the node's configuration, to look at, and those that are made here, for every node.
 *
 * A token or secret goes in and never comes out: what is shown of it is where it is, when it was given as a reference, else a short digest, by
 * which one sees whether two nodes have the same. An endpoint that stands in the configuration is changed there.
 */
import { z } from 'zod';
import { EndpointConfiguredError, EndpointRefusedError } from '../errors.js';
import { problem } from '../problem.js';
import { type ApiRoute, apiRoute } from './route.js';

export const secretSchema = z
  .object({
    /** `env:NAME` or `file:/path`, when it was given like that over the API. */
    reference: z.string().nullable(),
    /** The first eight hexadecimal digits of a SHA-256 of the endpoint's name and the value. */
    digest: z.string().nullable(),
  })
  .meta({ id: 'EndpointSecret' });

const endpointSchema = z
  .object({
    name: z.string(),
    /** `default`: the one for trying out, where there is no file. */
    source: z.enum(['file', 'default', 'api']),
    provider: z.string(),
    token: secretSchema,
    secrets: z.array(secretSchema),
    /** What else stands in its entry. */
    settings: z.record(z.string(), z.unknown()),
    /** Whether this node serves it, or, if it takes no webhooks, would. */
    served: z.boolean(),
    /** Why not. */
    problems: z.array(z.string()),
    /** Null where it stands in the configuration. */
    changedAt: z.string().nullable(),
    changedBy: z.string().nullable(),
  })
  .meta({ id: 'Endpoint' });

const fileSchema = z
  .object({
    path: z.string(),
    /** When it was read last and taken. */
    readAt: z.string().nullable(),
    /** Why what is in it by now is not served; what was read before is. */
    problems: z.array(z.string()),
  })
  .meta({ id: 'EndpointsFile' });

export type EndpointState = z.input<typeof endpointSchema>;
export type EndpointsFileState = z.input<typeof fileSchema>;

export interface EndpointControl {
  /** By name; one that is saved and stands in the configuration as well is there twice. */
  list(): readonly EndpointState[];
  /** Undefined: there is none. */
  file(): EndpointsFileState | undefined;
  /**
   * @param settings as in a file, without the name; token and secrets that are left out stay
   * @returns what it was, if it was there, and what it is
   * @throws EndpointRefusedError, EndpointConfiguredError, and what Postgres throws: then nothing is changed
   */
  put(
    name: string,
    settings: Readonly<Record<string, unknown>>,
    by: string,
  ): Promise<{ readonly before: EndpointState | undefined; readonly after: EndpointState }>;
  /** @returns what it was; undefined when there was none. @throws EndpointConfiguredError, and what Postgres throws */
  remove(name: string): Promise<EndpointState | undefined>;
}

/** 1,000 networks and 100 routes are no more. */
const BODY_BYTES_MAX = 256 * 1024;

const NO_ENDPOINT = problem('not-found', 'there is no endpoint of this name');
const CONFIGURED = problem(
  'endpoint-configured',
  'the endpoint stands in the configuration of the node: change it there',
);

function refusal(error: unknown) {
  if (error instanceof EndpointConfiguredError) return CONFIGURED;
  if (error instanceof EndpointRefusedError) return problem('endpoint-not-allowed', error.message);
  throw error;
}

export function endpointRoutes(endpoints: EndpointControl): readonly ApiRoute[] {
  const about = { tag: 'Endpoints', answer: endpointSchema } as const;
  const params = z.strictObject({ name: z.string() });
  return [
    apiRoute({
      ...about,
      method: 'get',
      path: '/api/endpoints',
      id: 'listEndpoints',
      summary: 'The endpoints of this node: of its configuration, and those that were made over the API',
      scope: 'read',
      answer: z.object({ endpoints: z.array(endpointSchema), file: fileSchema.nullable() }),
      work: () => ({ endpoints: [...endpoints.list()], file: endpoints.file() ?? null }),
    }),
    apiRoute({
      ...about,
      method: 'get',
      path: '/api/endpoints/{name}',
      id: 'getEndpoint',
      summary: 'One endpoint, as this node serves it',
      scope: 'read',
      params,
      // That of the configuration stands first, and is the one that is served.
      work: ({ params: { name } }) => endpoints.list().find((one) => one.name === name) ?? NO_ENDPOINT,
    }),
    apiRoute({
      ...about,
      method: 'put',
      path: '/api/endpoints/{name}',
      id: 'putEndpoint',
      summary:
        'Makes an endpoint, or another of it, on every node; of one that is there, token and secrets that are left out stay',
      scope: 'operate',
      params,
      body: z
        .record(z.string(), z.unknown())
        .meta({ description: 'An entry of the endpoints file, without its name' }),
      bodyBytesMax: BODY_BYTES_MAX,
      problems: ['endpoint-not-allowed', 'endpoint-configured'],
      async work({ params: { name }, body, client, audit }) {
        try {
          const { before, after } = await endpoints.put(name, body, client.name);
          await audit({ action: 'endpoint.put', target: name, before: before ?? null, after });
          return after;
        } catch (error) {
          return refusal(error);
        }
      },
    }),
    apiRoute({
      ...about,
      method: 'delete',
      path: '/api/endpoints/{name}',
      id: 'removeEndpoint',
      summary: 'Takes an endpoint that was made over the API away, on every node; answers with what it was',
      scope: 'operate',
      params,
      problems: ['endpoint-configured'],
      async work({ params: { name }, audit }) {
        try {
          const before = await endpoints.remove(name);
          if (before === undefined) return NO_ENDPOINT;
          await audit({ action: 'endpoint.remove', target: name, before, after: null });
          return before;
        } catch (error) {
          return refusal(error);
        }
      },
    }),
  ];
}
