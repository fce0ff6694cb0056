/**
 * A SERVER span for each webhook request of a known endpoint, when somebody registered an OpenTelemetry provider in this thread.
 *
 * Its `traceparent` goes into the envelope, so that what the actor does is its child. The token is part of the path and stands in
 * no attribute, and nothing of the body does.
 */
import {
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { registeredProvider, remoteContext, TRACER_NAME, traceparentOf } from '../runtime/tracing.js';

const ROUTE = '/webhooks/{endpoint}';
const NAME = `POST ${ROUTE}`;
const SERVER_ERROR = 500;

/** `known`, as long as its provider is the one that is registered. */
export function findRequestTracing(known?: RequestTracing): RequestTracing | undefined {
  const provider = registeredProvider();
  if (provider === undefined) return undefined;
  return provider === known?.provider ? known : new RequestTracing(provider);
}

export class RequestTracing {
  readonly provider: TracerProvider;
  readonly #tracer: Tracer;
  /** By endpoint, so that a request makes none; there are as many as there are endpoints. */
  readonly #options = new Map<string, SpanOptions>();

  constructor(provider: TracerProvider) {
    this.provider = provider;
    this.#tracer = provider.getTracer(TRACER_NAME);
  }

  /** @param traceparent that of the request, checked, or empty */
  start(endpoint: string, traceparent: string): RequestSpan {
    let options = this.#options.get(endpoint);
    if (options === undefined) {
      options = optionsOf(endpoint);
      this.#options.set(endpoint, options);
    }
    return new RequestSpan(this.#tracer.startSpan(NAME, options, remoteContext(traceparent)), traceparent);
  }
}

function optionsOf(endpoint: string): SpanOptions {
  return {
    kind: SpanKind.SERVER,
    attributes: {
      'http.request.method': 'POST',
      'http.route': ROUTE,
      'url.scheme': 'http',
      'url.path': `/webhooks/${endpoint}/REDACTED`,
    },
  };
}

/** Ends once, by `answered` or `aborted`. */
export class RequestSpan {
  /** For what the request causes. */
  readonly traceparent: string;
  readonly #span: Span;

  constructor(span: Span, traceparent: string) {
    this.#span = span;
    // A provider may make no span of its own: then what came is handed on.
    this.traceparent = traceparentOf(span) || traceparent;
  }

  /** @param status begins with its code */
  answered(status: string): void {
    // Most are not sampled: what is said of them goes nowhere.
    if (!this.#span.isRecording()) {
      this.#span.end();
      return;
    }
    const code = Number.parseInt(status, 10);
    this.#span.setAttribute('http.response.status_code', code);
    if (code >= SERVER_ERROR) this.#failed(String(code));
    this.#span.end();
  }

  /** The client left before there was an answer. */
  aborted(): void {
    this.#failed('aborted');
    this.#span.end();
  }

  #failed(type: string): void {
    this.#span.setAttribute('error.type', type);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
  }
}
