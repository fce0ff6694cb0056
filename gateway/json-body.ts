/** A body of JSON that must be exactly as a schema says. A refusal names the field, and never what was sent. */
import type { z } from 'zod';
import type { Answer } from './answer.js';
import type { Exchange, RequestHead } from './exchange.js';
import { problem } from './problem.js';

const BYTES_MAX = 16 * 1024;

const NOT_JSON_TYPE = problem('unsupported-media-type', 'the body is application/json');
const MALFORMED = problem('invalid-body', 'the body is no JSON');

/** @param expected the body's form, for people */
export async function readJson<Value>(
  { head, exchange }: { readonly head: RequestHead; readonly exchange: Exchange },
  schema: z.ZodType<Value>,
  expected: string,
  bytesMax = BYTES_MAX,
): Promise<{ readonly value: Value } | { readonly refusal: Answer }> {
  const mediaType = (head.headers.get('content-type') ?? '').split(';', 1)[0] ?? '';
  if (mediaType.trim().toLowerCase() !== 'application/json') return { refusal: NOT_JSON_TYPE };
  // Undefined too when the client has left: then nobody reads the refusal.
  const body = await exchange.readAll(bytesMax);
  if (body === undefined) {
    return { refusal: problem('content-too-large', `the body has at most ${bytesMax} bytes`) };
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return { refusal: MALFORMED };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { value: parsed.data };
  // Of the schema's own keys: what is unknown is reported at its parent.
  const path = parsed.error.issues[0]?.path.join('.') ?? '';
  return {
    refusal: problem('invalid-body', `the body is ${expected}${path === '' ? '' : `; look at ${path}`}`),
  };
}
