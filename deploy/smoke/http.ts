/** Requests of the smoke test: each within its time, each failure in words for people, and never a token among them. */
import { type Dispatcher, request } from 'undici';
import type { z } from 'zod';
import { problemOf, reasonOf } from '../commands/node-client.js';

/** A step did not find what it should. */
class SmokeFailure extends Error {
  readonly advice: string | undefined;

  constructor(found: string, advice?: string) {
    super(found);
    this.name = 'SmokeFailure';
    this.advice = advice;
  }
}

/** A part that the answer needs is away: it may be there the next moment, of a node that has just started, say. */
class AwayFailure extends SmokeFailure {
  override readonly name = 'AwayFailure';
}

interface SmokeAnswer {
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

interface SmokeRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const ANSWER_MS_MAX = 15_000;
const ANSWER_BYTES_MAX = 1_048_576;

class SmokeHttp {
  readonly #signal: AbortSignal | undefined;

  /** @param signal ends what is under way */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** @throws SmokeFailure (rejects) when nobody answers */
  async request(
    url: string,
    method: Dispatcher.HttpMethod,
    path: string,
    { headers = {}, body }: SmokeRequest = {},
  ): Promise<SmokeAnswer> {
    const began = performance.now();
    try {
      const answer = await request(`${url}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        headersTimeout: ANSWER_MS_MAX,
        bodyTimeout: ANSWER_MS_MAX,
        ...(this.#signal === undefined ? {} : { signal: this.#signal }),
      });
      let text = '';
      for await (const chunk of answer.body) {
        text += chunk;
        if (text.length > ANSWER_BYTES_MAX) throw new Error('the answer is longer than any of a node');
      }
      return { status: answer.statusCode, text, ms: Math.round(performance.now() - began) };
    } catch (error) {
      throw new SmokeFailure(
        `${url} does not answer: ${reasonOf(error)}`,
        'is it the right address, and open from here?',
      );
    }
  }

  /** @throws SmokeFailure (rejects) unless it is a success of that shape, AwayFailure when it is a 503 */
  async json<Value>(
    url: string,
    method: Dispatcher.HttpMethod,
    path: string,
    schema: z.ZodType<Value>,
    token: string,
  ): Promise<Value> {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
    const { status, text } = await this.request(url, method, path, { headers });
    const [shown] = path.split('?');
    if (status === 401)
      throw new SmokeFailure(
        `${method} ${shown}: 401`,
        'the API token (TETHER_API_TOKEN, --token) is not that of the nodes',
      );
    if (status === 403)
      throw new SmokeFailure(
        `${method} ${shown}: 403`,
        'the balancer hides the API: give its address by --api-url',
      );
    if (status !== 200) {
      const Failure = status === 503 ? AwayFailure : SmokeFailure;
      throw new Failure(`${method} ${shown}: ${status} ${this.problemIn(text)}`.trim());
    }
    return this.parse(text, schema, `${method} ${shown}`);
  }

  /** @throws SmokeFailure */
  parse<Value>(text: string, schema: z.ZodType<Value>, asked: string): Value {
    const parsed = schema.safeParse(jsonOf(text));
    if (!parsed.success) throw new SmokeFailure(`${asked}: the answer is not that of a Tether node`);
    return parsed.data;
  }

  /** What an answer says is the matter, or nothing. */
  problemIn(text: string): string {
    return problemOf(jsonOf(text));
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export { AwayFailure, SmokeFailure, SmokeHttp };
