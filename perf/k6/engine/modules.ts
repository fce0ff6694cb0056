/**
 * The modules that a script may import: `k6`, `k6/http`, `k6/crypto`, `k6/metrics` and `k6/execution`, each with what the scripts of this folder use
 * and its nearest kin. What k6 has beside that is not there, and importing it is an error that says so.
 */
import { createHash, randomBytes } from 'node:crypto';
import { isAnyArrayBuffer, isUint8Array } from 'node:util/types';
import { durationMs } from './duration.js';
import type { HttpAnswer, HttpRequest, IterationPlace } from './messages.js';
import type { MetricDefinition, MetricType, Tags } from './metrics.js';

/** What the modules need of the VU that runs the script. */
export interface VuHost {
  readonly id: number;
  /** Undefined outside of iterations. */
  readonly place: IterationPlace | undefined;
  /** While the script is loaded, and nothing runs yet. */
  readonly isInit: boolean;
  /** Iterations of this VU before the one that runs. */
  readonly iteration: number;
  /** Blocks until there is an answer. */
  send(request: HttpRequest): HttpAnswer;
  sleep(ms: number): void;
  define(metric: MetricDefinition): void;
  sample(metric: string, value: number, tags: Tags): void;
}

/** What `test.abort` throws: it ends the iteration, and then the run. */
export class TestAbortedError extends Error {}

export type ScriptModule = Readonly<Record<string, unknown>>;

const TIMEOUT_MS = 60_000;

export function createModules(host: VuHost): Readonly<Record<string, ScriptModule>> {
  return {
    k6: core(host),
    'k6/http': http(host),
    'k6/crypto': crypto(),
    'k6/metrics': metrics(host),
    'k6/execution': execution(host),
  };
}

function core(host: VuHost): ScriptModule {
  return {
    check(value: unknown, sets: Readonly<Record<string, unknown>>, tags: Tags = {}): boolean {
      let all = true;
      for (const [name, condition] of Object.entries(sets)) {
        const passed = Boolean(typeof condition === 'function' ? condition(value) : condition);
        host.sample('checks', Number(passed), { ...tags, check: name });
        all &&= passed;
      }
      return all;
    },
    fail(message = ''): never {
      throw new Error(message);
    },
    sleep(seconds: number): void {
      host.sleep(seconds * 1_000);
    },
  };
}

interface Params {
  readonly headers?: Readonly<Record<string, string>>;
  readonly tags?: Tags;
  readonly timeout?: string | number;
}

const PARAMS: readonly string[] = ['headers', 'tags', 'timeout'];

function http(host: VuHost): ScriptModule {
  const request = (method: string, url: string, body: unknown = null, params: Params | null = null) => {
    if (host.isInit) throw new Error('requests cannot be made in the init context');
    const given = params ?? {};
    const unknown = Object.keys(given).find((name) => !PARAMS.includes(name));
    if (unknown !== undefined) throw new Error(`http: under Node there is no parameter ${unknown}`);
    const timeoutMs = given.timeout === undefined ? TIMEOUT_MS : durationMs(given.timeout);
    if (timeoutMs === undefined) throw new Error(`http: ${given.timeout} is no timeout`);
    const tags = given.tags ?? {};
    const sent = {
      method: method.toUpperCase(),
      url: String(url),
      headers: Object.fromEntries(
        Object.entries(given.headers ?? {}).map(([name, value]) => [name, String(value)]),
      ),
      body: bodyOf(body),
      timeoutMs,
      tags,
    };
    return responseOf(sent, host.send(sent));
  };
  const withBody = (method: string) => (url: string, body?: unknown, params?: Params | null) =>
    request(method, url, body, params);
  const without = (method: string) => (url: string, params?: Params | null) =>
    request(method, url, null, params);
  return {
    request,
    get: without('GET'),
    head: without('HEAD'),
    post: withBody('POST'),
    put: withBody('PUT'),
    patch: withBody('PATCH'),
    del: withBody('DELETE'),
  };
}

function bodyOf(body: unknown): string | Uint8Array | null {
  if (body === null || body === undefined) return null;
  if (typeof body === 'string') return body;
  // The script's realm has an ArrayBuffer of its own.
  if (isAnyArrayBuffer(body)) return new Uint8Array(body);
  throw new Error('http: under Node a body is a string or an ArrayBuffer');
}

function responseOf(request: HttpRequest, answer: HttpAnswer) {
  const { status, statusText, headers, timings, error, errorCode } = answer;
  // Text as a rule; k6 gives null where there is none.
  const body = status === 0 ? null : Buffer.from(answer.body).toString('utf8');
  return {
    url: request.url,
    status,
    status_text: `${status} ${statusText}`,
    headers,
    body,
    timings,
    error,
    error_code: errorCode,
    request: { method: request.method, url: request.url, headers: request.headers, body: request.body },
    json(selector?: string): unknown {
      if (selector !== undefined) throw new Error('json: under Node there are no selectors');
      if (body === null) throw new Error('json: there is no body');
      return JSON.parse(body);
    },
  };
}

function crypto(): ScriptModule {
  const hasher = (algorithm: string) => (input: unknown, encoding: string) => {
    const bytes = bodyOf(input);
    if (bytes === null) throw new Error(`${algorithm}: there is nothing to hash`);
    const digest = createHash(algorithm).update(bytes).digest();
    if (encoding === 'hex' || encoding === 'base64') return digest.toString(encoding);
    if (encoding === 'binary') return bufferOf(digest);
    throw new Error(`${algorithm}: under Node there is no encoding ${encoding}`);
  };
  return {
    md5: hasher('md5'),
    sha1: hasher('sha1'),
    sha256: hasher('sha256'),
    sha512: hasher('sha512'),
    randomBytes: (size: number) => bufferOf(randomBytes(size)),
  };
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  if (!isUint8Array(bytes)) throw new TypeError('no bytes');
  return new Uint8Array(bytes).buffer;
}

function metrics(host: VuHost): ScriptModule {
  const kind = (type: MetricType) =>
    class {
      readonly name: string;
      constructor(name: string, isTime = false) {
        if (!host.isInit) throw new Error('metrics must be declared in the init context');
        this.name = name;
        host.define({ name, type, contains: isTime ? 'time' : 'default' });
      }
      add(value: number | boolean, tags: Tags = {}): void {
        const number = Number(value);
        if (Number.isFinite(number)) host.sample(this.name, number, tags);
        else throw new Error(`${this.name}.add: ${value} is no number`);
      }
    };
  return { Counter: kind('counter'), Gauge: kind('gauge'), Rate: kind('rate'), Trend: kind('trend') };
}

function execution(host: VuHost): ScriptModule {
  const placed = (): IterationPlace => {
    if (host.place === undefined) throw new Error('execution: there is no scenario outside of iterations');
    return host.place;
  };
  return {
    scenario: {
      get name() {
        return placed().scenario;
      },
      get executor() {
        return placed().executor;
      },
      get iterationInTest() {
        return placed().index;
      },
      get iterationInInstance() {
        return placed().index;
      },
    },
    vu: {
      get idInTest() {
        return host.id;
      },
      get idInInstance() {
        return host.id;
      },
      get iterationInInstance() {
        return host.iteration;
      },
    },
    test: {
      abort(message = ''): never {
        throw new TestAbortedError(message);
      },
    },
  };
}
