/**
 * What an import asks of a node: is this file there already, take it, give it back to compare.
 *
 * The node is told the file's SHA-256 and refuses what does not come to it. The file is then read back and hashed once more: only what
 * the object store gives out again may be removed here.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { NodeRequestError } from '../errors.js';

interface ImportClient {
  /** The id of an upload of this content and name that the node keeps whole, or undefined. */
  find(sha256: string, filename: string): Promise<string | undefined>;
  /** The id of the new upload. @throws ImportRefusedError */
  send(file: {
    readonly path: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly filename: string;
  }): Promise<string>;
  /** SHA-256 of what the node gives out. */
  readBack(id: string): Promise<string>;
}

/** The node takes this file neither now nor later. */
class ImportRefusedError extends NodeRequestError {}

const HEADERS_MS_MAX = 60_000;
/** Without a byte. */
const BODY_MS_MAX = 60_000;
const READ_BYTES = 256 * 1024;

const UploadAnswer = z.object({ id: z.string(), state: z.string(), sha256: z.string().nullable() });
const ListAnswer = z.object({ uploads: z.array(UploadAnswer) });
const ProblemAnswer = z.object({ title: z.string(), detail: z.string() });
/** An upload that failed or was cancelled may have lost its object. */
const KEPT = ['stored', 'processing', 'completed'];

function createImportClient(url: string, token: string, signal: AbortSignal): ImportClient {
  const ask = async (
    method: Dispatcher.HttpMethod,
    path: string,
    options: {
      readonly headers?: Record<string, string>;
      readonly body?: Dispatcher.DispatchOptions['body'];
    } = {},
  ): Promise<Dispatcher.ResponseData> => {
    try {
      return await request(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...options.headers },
        ...(options.body === undefined ? {} : { body: options.body }),
        headersTimeout: HEADERS_MS_MAX,
        bodyTimeout: BODY_MS_MAX,
        signal,
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw new NodeRequestError(`${url} does not answer: ${cause instanceof Error ? cause.message : ''}`, {
        cause,
      });
    }
  };

  return {
    async find(sha256, filename) {
      const query = new URLSearchParams({ sha256, filename, state: KEPT.join(','), limit: '1' });
      const response = await ask('GET', `/uploads?${query}`);
      const { uploads } = await answerOf(response, ListAnswer);
      return uploads[0]?.id;
    },

    async send({ path, bytes, sha256, filename }) {
      const query = new URLSearchParams({ filename, process: 'false' });
      const digest = Buffer.from(sha256, 'hex').toString('base64');
      const response = await ask('POST', `/uploads?${query}`, {
        headers: {
          'content-type': 'application/octet-stream',
          'content-length': String(bytes),
          'repr-digest': `sha-256=:${digest}:`,
        },
        body: createReadStream(path, { highWaterMark: READ_BYTES }),
      });
      const upload = await answerOf(response, UploadAnswer);
      if (upload.sha256 !== sha256) throw new ImportRefusedError('it was changed on its way');
      return upload.id;
    },

    async readBack(id) {
      const response = await ask('GET', `/uploads/${id}/file`);
      if (response.statusCode !== 200) await answerOf(response, z.never());
      const hash = createHash('sha256');
      await pipeline(response.body, hash, { signal });
      return hash.digest('hex');
    },
  };
}

/** @throws ImportRefusedError for 4xx, NodeRequestError for anything else but a sound answer */
async function answerOf<Value>(response: Dispatcher.ResponseData, schema: z.ZodType<Value>): Promise<Value> {
  const { statusCode } = response;
  const text = await response.body.text();
  const json: unknown = statusCode === 204 ? undefined : parse(text);
  if (statusCode >= 400) {
    const said = ProblemAnswer.safeParse(json);
    const reason = `${statusCode} ${said.success ? `${said.data.title}: ${said.data.detail}` : ''}`.trim();
    // Too many requests, too slow, in use: may pass.
    const passes = statusCode >= 500 || [408, 409, 423, 429].includes(statusCode);
    throw passes ? new NodeRequestError(reason) : new ImportRefusedError(reason);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new NodeRequestError(`${statusCode}, but not as a Tether node would answer`);
  return parsed.data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses undefined.
    return undefined;
  }
}

export { createImportClient, type ImportClient, ImportRefusedError };
