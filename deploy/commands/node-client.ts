/** Requests of the operator's commands to the API of a running node. Errors say what the node said, and never the token. */
import { request } from 'undici';
import type { z } from 'zod';
import { isHashedToken } from '../../gateway/auth/token.js';
import { readApiToken } from '../api-token.js';
import { ConfigError, NodeRequestError } from '../errors.js';
import { type Environment, parseSettings, type Settings } from '../settings.js';
import { overridesOf } from './options.js';
import { referred } from './referred.js';

/** Of the options that every command has which asks a node. */
interface NodeFlags {
  readonly url?: string;
  readonly dataDir?: string;
  readonly token?: string;
  readonly json?: true;
}

interface NodeClient {
  /**
   * @param body sent as JSON
   * @throws NodeRequestError when the node is not there, says no, or answers something else
   */
  call<Value>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    schema: z.ZodType<Value>,
    body?: object,
  ): Promise<Value>;
}

interface NodeAddress {
  readonly url: string;
  readonly token: string;
}

const REQUEST_MS_MAX = 30_000;

/**
 * The token: `option`, itself or as `env:NAME` or `file:/path`, else of the configuration, else what an embedded node keeps.
 * @throws ConfigError if none
 */
async function apiTokenOf(settings: Settings, option: string | undefined, env: Environment): Promise<string> {
  const given = option === undefined ? undefined : await referred('--token', option, env);
  if (given === undefined && settings.apiToken !== undefined && isHashedToken(settings.apiToken)) {
    throw new ConfigError([
      'TETHER_API_TOKEN is the hash of the token: give the token itself by --token, such as --token file:/path',
    ]);
  }
  const token = given ?? settings.apiToken ?? (await readApiToken(settings.dataDir))?.token;
  if (token === undefined) {
    throw new ConfigError([
      `no API token: give --token or TETHER_API_TOKEN, or run where ${settings.dataDir}/api-token is`,
    ]);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) throw new ConfigError(['--token is no bearer token']);
  return token;
}

/** @throws ConfigError */
async function connectToNode(flags: NodeFlags, env: Environment): Promise<NodeClient> {
  const { url, token } = await nodeAddress(flags, env);
  return createNodeClient(url, token);
}

/** Where the node is, and the token for it. @throws ConfigError */
async function nodeAddress({ url, dataDir, token }: NodeFlags, env: Environment): Promise<NodeAddress> {
  const settings = parseSettings(
    env,
    overridesOf({
      ...(url === undefined ? {} : { url }),
      ...(dataDir === undefined ? {} : { dataDir }),
    }),
  );
  return { url: settings.url, token: await apiTokenOf(settings, token, env) };
}

function createNodeClient(url: string, token: string): NodeClient {
  return {
    async call(method, path, schema, body) {
      let statusCode: number;
      let text: string;
      try {
        const response = await request(`${url}${path}`, {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          headersTimeout: REQUEST_MS_MAX,
          bodyTimeout: REQUEST_MS_MAX,
        });
        statusCode = response.statusCode;
        text = await response.body.text();
      } catch (cause) {
        throw new NodeRequestError(`${url} does not answer: ${reasonOf(cause)}`, { cause });
      }
      const json = parseJson(text);
      if (statusCode >= 400)
        throw new NodeRequestError(`${method} ${path}: ${statusCode} ${problemOf(json)}`.trim(), {
          statusCode,
        });
      const parsed = schema.safeParse(json);
      if (!parsed.success) {
        throw new NodeRequestError(
          `${method} ${path}: ${url} answers ${statusCode}, but not as a Tether node would`,
        );
      }
      return parsed.data;
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller's schema refuses undefined, with a message that says where.
    return undefined;
  }
}

/** `title: detail` of an RFC 9457 problem. */
function problemOf(json: unknown): string {
  if (typeof json !== 'object' || json === null) return '';
  const parts = ['title', 'detail'].map((name): unknown => Reflect.get(json, name));
  return parts.filter((part) => typeof part === 'string' && part !== '').join(': ');
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code: unknown = Reflect.get(cause, 'code');
  return cause.message || (typeof code === 'string' ? code : cause.name);
}

export {
  apiTokenOf,
  connectToNode,
  createNodeClient,
  type NodeAddress,
  type NodeClient,
  type NodeFlags,
  nodeAddress,
  problemOf,
  reasonOf,
};
