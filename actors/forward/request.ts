/**
 * One attempt over HTTP: a POST, and how it ended.
 *
 * Promises:
 * - the time limit is that of the whole attempt, name lookup to last byte
 * - what counts is the status; of the answer's body no more than 64 KiB are read, to keep the connection, and none of it is kept or logged
 * - a redirect is an answer like any other: nothing is followed
 * - no proxy is used, whatever the environment says: the address that is checked is the one that gets the webhook
 */
import { Agent, request } from 'undici';
import type { Network } from './addresses.js';
import { type Resolve, safeConnector } from './connector.js';

export interface ClientOptions {
  readonly url: string;
  readonly timeoutMs: number;
  readonly connections: number;
  readonly networks: readonly Network[];
  readonly ca: readonly string[] | undefined;
  readonly resolve: Resolve;
}

export type Ended =
  | { readonly is: 'answered'; readonly status: number; readonly retryAfter: string | undefined }
  /** `reason`: a code, never what the other side says. */
  | { readonly is: 'unreachable'; readonly reason: string }
  | { readonly is: 'interrupted' };

const ANSWER_BYTES_MAX = 65_536;
/** Shorter than what servers and balancers have as a rule: who closes first meets no request on its way. */
const KEEP_ALIVE_MS = 4_000;

export class Client {
  readonly #options: ClientOptions;
  readonly #agent: Agent;

  constructor(options: ClientOptions) {
    this.#options = options;
    const { timeoutMs, connections, networks, ca, resolve } = options;
    this.#agent = new Agent({
      connect: safeConnector({ networks, resolve, connectMsMax: timeoutMs, ca }),
      connections,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  async post(
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<Ended> {
    const { url, timeoutMs } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await request(url, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: { ...headers },
        body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
        signal: AbortSignal.any([signal, timeout]),
      });
      await readAway(answer.body);
      const retryAfter = answer.headers['retry-after'];
      return {
        is: 'answered',
        status: answer.statusCode,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
      };
    } catch (error) {
      if (timeout.aborted) return { is: 'unreachable', reason: 'timeout' };
      if (signal.aborted) return { is: 'interrupted' };
      return { is: 'unreachable', reason: codeOf(error) };
    }
  }

  /** Requests under way go on. */
  close(): Promise<void> {
    return this.#agent.close();
  }
}

interface Answer extends AsyncIterable<Uint8Array> {
  destroy(): unknown;
}

/** The status stands, whatever comes of the rest. */
async function readAway(body: Answer): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) break;
    }
  } catch {
    // Reset, too slow, or interrupted.
  } finally {
    body.destroy();
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
