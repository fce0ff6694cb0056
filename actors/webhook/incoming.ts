/**
 * From the messages of a batch to what is to be done: read, and without those that are known to be done.
 *
 * Two kinds come: a webhook as the gateway wrote it, and a word from the actor to itself that the time of a delayed one has come. Both are arrays of
 * msgpack, of different lengths.
 */
import { Packr } from 'msgpackr';
import type { RawMessage } from '../../runtime/message.js';
import { WebhookMessageError } from './errors.js';
import { decodeWebhook, type WebhookMessage } from './message.js';

export interface Arrived {
  readonly is: 'arrived';
  readonly message: RawMessage;
  readonly webhook: WebhookMessage;
  /** Without the endpoint. */
  readonly key: string;
}

export interface Due {
  readonly is: 'due';
  readonly message: RawMessage;
  readonly endpoint: string;
  /** Of the event whose time has come. */
  readonly dedupe: string;
}

/** The part of a set that is asked. */
interface Seen {
  has(key: string): boolean;
}

/** Of the columns that are part of an index: what is longer fits in none. */
const KEY_CHARS_MAX = 1_000;
const KIND_CHARS_MAX = 500;
const DUE_HEAD = 0x92;
const DUE = 'due';
const packr = new Packr({ useRecords: false });

/** What the actor sends to itself, with `tellDurably` or a reminder. */
export function dueBody(dedupe: string): readonly [typeof DUE, string] {
  return [DUE, dedupe];
}

/** Names a message among those of all endpoints. */
export function messageKey(endpoint: string, dedupe: string): string {
  return `${endpoint} ${dedupe}`;
}

/**
 * In order, by `messageKey`; of equal messages of a kind the first.
 * @throws WebhookMessageError when any of them cannot be read
 */
export function readBatch(messages: readonly RawMessage[], recent: Seen): Map<string, Arrived | Due> {
  const batch = new Map<string, Arrived | Due>();
  for (const message of messages) {
    const { endpoint, key } = addressOf(message.key);
    if (message.payload[0] === DUE_HEAD) {
      const dedupe = readDue(message.payload);
      // Beside the message itself, should both be here.
      const name = `${DUE} ${messageKey(endpoint, dedupe)}`;
      if (!batch.has(name)) batch.set(name, { is: 'due', message, endpoint, dedupe });
      continue;
    }
    const name = messageKey(endpoint, message.dedupe);
    if (recent.has(name) || batch.has(name)) continue;
    const webhook = decodeWebhook(message.payload);
    if (webhook.endpoint !== endpoint)
      throw new WebhookMessageError('the key of the envelope is of another endpoint');
    checkText(key, KEY_CHARS_MAX, 'the key');
    checkText(message.dedupe, KEY_CHARS_MAX, 'the deduplication key');
    checkText(webhook.type, KIND_CHARS_MAX, 'the type');
    batch.set(name, { is: 'arrived', message, webhook, key });
  }
  return batch;
}

/** An endpoint's name holds no colon. */
function addressOf(key: string): { readonly endpoint: string; readonly key: string } {
  const colon = key.indexOf(':');
  if (colon <= 0) throw new WebhookMessageError('the key of the envelope names no endpoint');
  return { endpoint: key.slice(0, colon), key: key.slice(colon + 1) };
}

function readDue(payload: Uint8Array): string {
  let body: unknown;
  try {
    body = packr.unpack(payload);
  } catch (cause) {
    throw new WebhookMessageError('the payload is no webhook', { cause });
  }
  if (!Array.isArray(body) || body[0] !== DUE || typeof body[1] !== 'string') {
    throw new WebhookMessageError('the payload is no webhook');
  }
  return body[1];
}

/** Postgres takes no NUL, and an index no long text. Better known now than as an error of all the batch. */
function checkText(text: string, charsMax: number, what: string): void {
  if (text.includes('\0')) throw new WebhookMessageError(`${what} holds a NUL`);
  if (text.length > charsMax) throw new WebhookMessageError(`${what} is longer than ${charsMax} characters`);
}
