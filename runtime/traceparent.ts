/**
 * `traceparent`, the header of W3C Trace Context (https://www.w3.org/TR/trace-context/), read and written in one place.
 *
 * One that is malformed is as good as none, never an error: it says nothing of the message that carries it.
 */

/** Where a span stands: its trace, itself, and whether it is sampled. Ids are lower-case hexadecimal digits. */
export interface TracePosition {
  readonly traceId: string;
  readonly spanId: string;
  /** Bit 0: sampled. */
  readonly traceFlags: number;
}

/** Any version but the forbidden one, and ids that are not all zeros. */
const FORM = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const TRACE_ID_AT = 3;
const SPAN_ID_AT = 36;
const FLAGS_AT = 53;

export function isTraceparent(text: string): boolean {
  return FORM.test(text);
}

export function parseTraceparent(text: string): TracePosition | undefined {
  if (!isTraceparent(text)) return undefined;
  return {
    traceId: text.slice(TRACE_ID_AT, SPAN_ID_AT - 1),
    spanId: text.slice(SPAN_ID_AT, FLAGS_AT - 1),
    traceFlags: Number.parseInt(text.slice(FLAGS_AT), 16),
  };
}

/** What a log line about a message says of its trace: nothing when it came without one. */
export function traceFields(traceparent: string): { readonly traceId?: string } {
  return isTraceparent(traceparent) ? { traceId: traceparent.slice(TRACE_ID_AT, SPAN_ID_AT - 1) } : {};
}

/** The last two digits, by flags. */
const FLAGS = Array.from({ length: 256 }, (_, flags) => flags.toString(16).padStart(2, '0'));

/** Empty for the position of no span, as a tracer gives it that makes none. */
export function formatTraceparent({ traceId, spanId, traceFlags }: TracePosition): string {
  const text = `00-${traceId}-${spanId}-${FLAGS[traceFlags & 0xff]}`;
  return isTraceparent(text) ? text : '';
}
