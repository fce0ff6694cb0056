/** An OpenTelemetry provider for tests, as a user registers one, and its spans as plain data. */
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { formatTraceparent } from '../traceparent.js';

export interface SpanRecord {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of its trace. */
  readonly parent: string;
  readonly traceparent: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Ids of the spans that it is linked to. */
  readonly links: readonly string[];
  readonly failed: boolean;
  readonly exceptions: readonly string[];
}

export function recordOf(span: ReadableSpan): SpanRecord {
  const position = span.spanContext();
  return {
    name: span.name,
    kind: span.kind,
    traceId: position.traceId,
    spanId: position.spanId,
    parent: span.parentSpanContext?.spanId ?? '',
    traceparent: formatTraceparent(position),
    attributes: { ...span.attributes },
    links: span.links.map(({ context }) => context.spanId),
    failed: span.status.code === SpanStatusCode.ERROR,
    exceptions: span.events.map(({ attributes }) => String(attributes?.['exception.message'])),
  };
}

/** Registers a provider in this thread. `samplesRoots`: whether traces that begin here are sampled. */
export function registerProvider(exporter: SpanExporter, samplesRoots = true): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
      ...(samplesRoots ? {} : { sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }) }),
    }),
  );
}

export function unregisterProvider(): void {
  trace.disable();
  context.disable();
}

/** The spans that end in this thread from now to the end of the test. */
export function collectSpans(
  t: { teardown(action: () => void): void },
  samplesRoots = true,
): () => readonly SpanRecord[] {
  const exporter = new InMemorySpanExporter();
  registerProvider(exporter, samplesRoots);
  t.teardown(unregisterProvider);
  return () => exporter.getFinishedSpans().map(recordOf);
}
