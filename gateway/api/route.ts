/**
 * One operation of the operators' API as a value: its path and scope, the schemas of what goes in and comes out, and its work. What is
 * registered, checked, written to the audit log and documented (`openapi.ts`) comes from this value alone.
 */
import { z } from 'zod';
import type { Answer } from '../answer.js';
import type { Client } from '../auth/client.js';
import type { Exchange, RequestHead } from '../exchange.js';
import { readJson } from '../json-body.js';
import { type ProblemName, problem } from '../problem.js';
import { invalidQuery } from '../query.js';

/** A change that somebody made. */
export interface AuditEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly client: string;
  /** What was done, such as `pool.change`. */
  readonly action: string;
  /** What it was done to, such as the pool's actor. */
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
}

export type Change = Pick<AuditEntry, 'action' | 'target'> & Partial<Pick<AuditEntry, 'before' | 'after'>>;

/** The answer goes out bit by bit, and not from here. */
export const STREAMED: unique symbol = Symbol('streamed');

export interface ApiCall<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly client: Client;
  readonly head: RequestHead;
  readonly exchange: Exchange;
  /** Notes a change, after it took effect. Never rejects: a change that happened is not taken back for want of a note. */
  audit(change: Change): Promise<void>;
}

/** What a call is before its parts are checked. */
export interface RawCall {
  /** Decoded, in the order of the path. */
  readonly parameters: readonly string[];
  readonly head: RequestHead;
  readonly exchange: Exchange;
  readonly client: Client;
  audit(change: Change): Promise<void>;
}

export type ApiMethod = 'get' | 'post' | 'put' | 'delete';

interface Described {
  readonly method: ApiMethod;
  /** As in OpenAPI: `/api/pools/{actor}`. A parameter is a segment. */
  readonly path: `/api/${string}`;
  /** `operationId` of the document. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly scope: 'read' | 'operate';
  readonly contentType?: string;
  /** Of a success. Default 200. */
  readonly status?: 200 | 201;
  /** Of a body; default 16 KiB. */
  readonly bodyBytesMax?: number;
  /** Beside those that every route may answer with. */
  readonly problems?: readonly ProblemName[];
}

export interface ApiRoute extends Described {
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  /** Undefined: it takes none. */
  readonly body: z.ZodType | undefined;
  /** Of a success. */
  readonly answer: z.ZodType;
  /** @returns an answer as it goes out, a value for a JSON answer, or `STREAMED` */
  run(call: RawCall): Promise<unknown>;
}

const NOTHING = z.strictObject({});
const NOT_THERE = problem('not-found', 'there is nothing here');

export function apiRoute<
  Answered extends z.ZodType,
  Params extends z.ZodObject = typeof NOTHING,
  Query extends z.ZodObject = typeof NOTHING,
  Body extends z.ZodType = z.ZodUndefined,
>(
  route: Described & {
    readonly params?: Params;
    readonly query?: Query;
    readonly body?: Body;
    readonly answer: Answered;
    work(
      call: ApiCall<z.output<Params>, z.output<Query>, z.output<Body>>,
    ): z.input<Answered> | Answer | typeof STREAMED | Promise<z.input<Answered> | Answer | typeof STREAMED>;
  },
): ApiRoute {
  const { params = NOTHING, query = NOTHING, body, work, ...described } = route;
  const names = parameterNames(route.path);
  return {
    ...described,
    params,
    query,
    body,
    async run({ parameters, ...call }) {
      const given = Object.fromEntries(names.map((name, at) => [name, parameters[at] ?? '']));
      const checkedParams = params.safeParse(given);
      // What cannot be there is not there.
      if (!checkedParams.success) return NOT_THERE;
      const checkedQuery = readQueryOf(call.head.query, query);
      if ('refusal' in checkedQuery) return checkedQuery.refusal;
      let checkedBody: unknown;
      if (body !== undefined) {
        const expected = `as the document of the API says (${route.id})`;
        const read = await readJson(call, body, expected, route.bodyBytesMax);
        if ('refusal' in read) return read.refusal;
        checkedBody = read.value;
      }
      return work({
        ...call,
        params: checkedParams.data as z.output<Params>,
        query: checkedQuery.value as z.output<Query>,
        body: checkedBody as z.output<Body>,
      });
    },
  };
}

/** The names in the braces of a path, in order. */
export function parameterNames(path: string): readonly string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
}

/** Exactly what the schema has, each at most once: a name that is misspelt would select other things than its writer means. */
function readQueryOf(text: string, schema: z.ZodObject): { readonly value: unknown } | { refusal: Answer } {
  const query = new URLSearchParams(text);
  const given = [...query.keys()];
  const names = Object.keys(schema.shape);
  if (given.some((name) => !names.includes(name)) || new Set(given).size < given.length) {
    const allowed = names.length === 0 ? 'is empty' : `has ${names.join(', ')}, each at most once`;
    return { refusal: invalidQuery(`the query ${allowed}`) };
  }
  const parsed = schema.safeParse(Object.fromEntries(query));
  if (parsed.success) return { value: parsed.data };
  const issue = parsed.error.issues[0];
  return {
    refusal: invalidQuery(`${issue?.path.join('.') ?? 'the query'}: ${issue?.message ?? 'is wrong'}`),
  };
}
