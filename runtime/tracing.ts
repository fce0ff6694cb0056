/**
 * Tracing by OpenTelemetry: the spans of a thread's calls and asks, when somebody registered a provider in it, and nothing at all
 * when not.
 *
 * - `actor.receive`, CONSUMER: a call of `receive`, with the loading of the state before the first one. Its parent is what the
 *   message's `traceparent` says when the batch is of one; a larger one begins a trace of its own, with a link to each.
 * - `actor.ask`, CLIENT: from an ask to its reply, or to what came instead.
 * - A tell has no span: it carries the position of the active one. A span for each would cost more than the message.
 *
 * A kernel has a `Tracing` or none, so what a thread without a provider pays is the look whether it has.
 */
import {
  type Attributes,
  type Context,
  context,
  type Link,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type { Clock } from './clock.js';
import { asError, causeOf } from './failure.js';
import type { Logger } from './logger.js';
import { formatTraceparent, parseTraceparent } from './traceparent.js';
import { within } from './within.js';

/** A call of `receive`. */
export interface TracedCall {
  readonly type: string;
  /** Of the activation; empty in scope `thread`. */
  readonly key: string;
  readonly messages: readonly { readonly id: string; readonly traceparent: string }[];
}

/** What a kernel needs of it. */
export interface Tracing {
  /** The `traceparent` of the active span, or empty. */
  active(): string;
  /** Does `work` within a span, which ends with it. What the work returns or throws is handed on. */
  receive(call: TracedCall, work: () => Promise<void> | void): Promise<void> | void;
  /**
   * Sends an ask within a span, which ends with the reply.
   * @param traceparent of the span's parent; undefined: the active one
   */
  ask<Reply>(
    address: { readonly type: string; readonly key: string },
    traceparent: string | undefined,
    send: (traceparent: string) => Promise<Reply>,
  ): Promise<Reply>;
}

export const TRACER_NAME = 'tether';
/** How often a thread looks whether a provider is registered by now. */
export const PROVIDER_LOOK_MS = 1_000;
const FLUSH_MS_MAX = 2_000;
/** Of a batch; the default limit of the SDK too. */
const LINKS_MAX = 128;
/** What the API hands out when nothing is registered. */
const NO_PROVIDER = new ProxyTracerProvider().getDelegate();

/** The provider that is registered in this thread. Cheap enough for once a second, not for each message. */
export function registeredProvider(): TracerProvider | undefined {
  const found = trace.getTracerProvider();
  // One of another copy of the API is no instance of ours, and is there only when it was registered.
  const provider = found instanceof ProxyTracerProvider ? found.getDelegate() : found;
  return provider === NO_PROVIDER ? undefined : provider;
}

/** `known`, as long as its provider is the one that is registered. */
export function findTracing(known?: Tracing): Tracing | undefined {
  const provider = registeredProvider();
  if (provider === undefined) return undefined;
  return known instanceof ProviderTracing && known.provider === provider
    ? known
    : new ProviderTracing(provider);
}

/** Lets the provider of this thread send the spans that it has. Does not wait for long: where they go may be away. */
export async function flushSpans(clock: Clock, logger: Logger): Promise<void> {
  // Not in the API, but in every SDK.
  const provider = registeredProvider() as { forceFlush?(): Promise<void> } | undefined;
  if (provider?.forceFlush === undefined) return;
  try {
    const flushed = await within(clock, FLUSH_MS_MAX, provider.forceFlush());
    if (flushed === 'late') logger.warn({ ms: FLUSH_MS_MAX }, 'the last spans were not sent in time');
  } catch (error) {
    logger.warn({ err: error }, 'the last spans were not sent');
  }
}

/** The context of which `traceparent` speaks; the root when it is empty or malformed. */
export function remoteContext(traceparent: string): Context {
  const position = parseTraceparent(traceparent);
  return position === undefined
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, { ...position, isRemote: true });
}

export function traceparentOf(span: Span): string {
  return formatTraceparent(span.spanContext());
}

class ProviderTracing implements Tracing {
  readonly provider: TracerProvider;
  readonly #tracer: Tracer;

  constructor(provider: TracerProvider) {
    this.provider = provider;
    this.#tracer = provider.getTracer(TRACER_NAME);
  }

  active(): string {
    const span = trace.getActiveSpan();
    return span === undefined ? '' : traceparentOf(span);
  }

  receive({ type, key, messages }: TracedCall, work: () => Promise<void> | void): Promise<void> | void {
    const [first] = messages;
    const alone = messages.length === 1 && first !== undefined;
    const attributes: Attributes = {
      ...attributesOf(type, key),
      'messaging.operation.name': 'receive',
      'messaging.operation.type': 'process',
    };
    if (!alone) attributes['messaging.batch.message_count'] = messages.length;
    else if (first.id !== '') attributes['messaging.message.id'] = first.id;
    // Never the active context: the run queue may run in that of whoever sent something to somebody else.
    const parent = alone ? remoteContext(first.traceparent) : ROOT_CONTEXT;
    const links = alone ? [] : linksTo(messages);
    const span = this.#tracer.startSpan(
      'actor.receive',
      { kind: SpanKind.CONSUMER, attributes, links },
      parent,
    );
    return context.with(trace.setSpan(parent, span), () =>
      endWith(span, work as () => Promise<void> | undefined),
    );
  }

  ask<Reply>(
    { type, key }: { readonly type: string; readonly key: string },
    traceparent: string | undefined,
    send: (traceparent: string) => Promise<Reply>,
  ): Promise<Reply> {
    const attributes: Attributes = {
      ...attributesOf(type, key),
      'messaging.operation.name': 'ask',
      'messaging.operation.type': 'send',
    };
    const span = this.#tracer.startSpan(
      'actor.ask',
      { kind: SpanKind.CLIENT, attributes },
      traceparent === undefined ? context.active() : remoteContext(traceparent),
    );
    return endWith(span, () => send(traceparentOf(span)));
  }
}

/** Names: https://opentelemetry.io/docs/specs/semconv/messaging/ ; those that begin with `tether` are ours. */
function attributesOf(type: string, key: string): Attributes {
  const attributes: Attributes = { 'messaging.system': 'tether', 'messaging.destination.name': type };
  if (key !== '') attributes['tether.actor.key'] = key;
  return attributes;
}

function linksTo(messages: TracedCall['messages']): Link[] {
  const links: Link[] = [];
  for (const { id, traceparent } of messages) {
    const position = parseTraceparent(traceparent);
    if (position === undefined) continue;
    if (links.length === LINKS_MAX) break;
    const attributes: Attributes = id === '' ? {} : { 'messaging.message.id': id };
    links.push({ context: { ...position, isRemote: true }, attributes });
  }
  return links;
}

/** Ends the span when the work is over, with its error if it has one. */
function endWith<Result extends Promise<unknown> | undefined>(span: Span, work: () => Result): Result {
  let result: Result;
  try {
    result = work();
  } catch (error) {
    fail(span, error);
    throw error;
  }
  if (result === undefined) {
    span.end();
    return result;
  }
  return result.then(
    (value) => {
      span.end();
      return value;
    },
    (error: unknown) => {
      fail(span, error);
      throw error;
    },
  ) as Result;
}

function fail(span: Span, error: unknown): void {
  const { code, message } = causeOf(error);
  span.setAttribute('error.type', code);
  span.recordException(asError(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.end();
}
