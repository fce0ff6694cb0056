/**
 * A webhook of any sender as it waits on the log: what the gateway read of it, once, and the body as it came.
 *
 * Encoding: one msgpack array, version first, as the envelope. What a release has written, every later one reads.
 */
import { Packr } from 'msgpackr';
import { WebhookMessageError } from './errors.js';

export interface WebhookMessage {
  readonly endpoint: string;
  readonly provider: string;
  /** What happened, as the sender names it, such as `invoice.paid`; empty when the sender does not say. */
  readonly type: string;
  /** The sender's id of the message; empty when it gives none. */
  readonly id: string;
  /** Media type of `body`, as it came; empty when there was none. */
  readonly contentType: string;
  /** Those that the endpoint keeps, names in lower case. Never a signature or a secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const VERSION = 1;
const FIELDS = 8;
// Each message stands alone: no structures that were sent earlier.
const packr = new Packr({ useRecords: false });

export function encodeWebhook(message: WebhookMessage): Uint8Array {
  const { endpoint, provider, type, id, contentType, headers, body } = message;
  return packr.pack([VERSION, endpoint, provider, type, id, contentType, headers, body]);
}

/** `body` is a view of `bytes`. @throws WebhookMessageError */
export function decodeWebhook(bytes: Uint8Array): WebhookMessage {
  let fields: unknown;
  try {
    fields = packr.unpack(bytes);
  } catch (cause) {
    throw new WebhookMessageError('the payload is no webhook', { cause });
  }
  if (!Array.isArray(fields)) throw new WebhookMessageError('the payload is no webhook');
  const [version, endpoint, provider, type, id, contentType, headers, body] = fields as unknown[];
  if (version !== VERSION) throw new WebhookMessageError('the payload is a webhook of an unknown version');
  if (
    fields.length !== FIELDS ||
    typeof endpoint !== 'string' ||
    typeof provider !== 'string' ||
    typeof type !== 'string' ||
    typeof id !== 'string' ||
    typeof contentType !== 'string' ||
    !isTexts(headers) ||
    !(body instanceof Uint8Array)
  ) {
    throw new WebhookMessageError('the payload is no webhook');
  }
  return { endpoint, provider, type, id, contentType, headers, body };
}

function isTexts(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((each) => typeof each === 'string')
  );
}
