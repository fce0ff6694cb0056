/**
 * The provider of every sender but EMP: a sender's description, put to work.
 *
 * ```
 * request --proof--> genuine --handshake?--> answered
 *                       `--messages--> one envelope or several, for the actor `webhook`
 * ```
 * Nothing of the body is read before the proof holds. (Adyen's signatures are within the body: there each item is looked at before it is a
 * message, see `adyen.ts`.)
 */
import { createHash } from 'node:crypto';
import { encodeWebhook } from '../../actors/webhook/message.js';
import type { Proof } from './proof.js';
import type { Message, Provider, Refused, Verdict } from './provider.js';
import { fits, type HeaderNames, Reading } from './reading.js';

/** One event, as the sender tells it. */
export interface SenderMessage {
  /** What happened; '' when the sender does not say. */
  readonly type: string;
  /** The sender's id of it; '' when it gives none: then the digest of `body` stands for it. */
  readonly id: string;
  /** Whose turn it is; '' when nobody's in particular: then it is in nobody's way. */
  readonly key: string;
  readonly body: Buffer;
  readonly contentType: string;
}

/** What differs among senders. */
export interface Sender {
  readonly provider: string;
  readonly mediaTypes: readonly string[];
  readonly proof: Proof;
  readonly answer: { readonly mediaType: string; readonly body: string };
  /** The answer to a genuine request that is no message. */
  handshake?(reading: Reading): Uint8Array | undefined;
  /** At least one. */
  messages(reading: Reading): readonly SenderMessage[] | Refused;
}

export interface WebhookProviderOptions {
  /** The endpoint's name: the first part of every key. */
  readonly endpoint: string;
  /** `none`: messages of one key need not wait for one another. */
  readonly order: 'key' | 'none';
  /** Kept with the message. */
  readonly keepHeaders: readonly string[];
}

const HEADER_VALUE_BYTES_MAX = 1024;

export class WebhookProvider implements Provider {
  readonly mediaTypes: readonly string[];
  readonly headers: readonly string[];
  readonly answerMediaType: Uint8Array;
  readonly #sender: Sender;
  readonly #options: WebhookProviderOptions;
  readonly #kept: readonly (readonly [name: string, position: number])[];
  readonly #answer: Uint8Array;

  constructor(sender: Sender, names: HeaderNames, options: WebhookProviderOptions) {
    this.#sender = sender;
    this.#options = options;
    this.#kept = options.keepHeaders.map((name) => [name.toLowerCase(), names.position(name)] as const);
    this.#answer = Buffer.from(sender.answer.body);
    this.answerMediaType = Buffer.from(sender.answer.mediaType);
    this.mediaTypes = sender.mediaTypes;
    this.headers = names.names;
  }

  recognise(body: Buffer, headers: readonly string[], nowMs: number): Verdict {
    const sender = this.#sender;
    const reading = new Reading(body, headers);
    const refused = sender.proof.check(reading, nowMs);
    if (refused !== undefined) return refused;
    const handshake = sender.handshake?.(reading);
    if (handshake !== undefined) return { outcome: 'handshake', answer: handshake };
    const messages = sender.messages(reading);
    if ('outcome' in messages) return messages;
    const kept = this.#keptHeaders(reading);
    const [first, ...more] = messages.map((message) => this.#envelope(message, kept));
    if (first === undefined) return { outcome: 'malformed', reason: 'the body holds no event' };
    const accepted = { outcome: 'accepted', ...first, answer: this.#answer } as const;
    return more.length === 0 ? accepted : { ...accepted, more };
  }

  #envelope(message: SenderMessage, headers: Readonly<Record<string, string>>): Message {
    const { endpoint, order } = this.#options;
    const { type, id, body, contentType } = message;
    // Of the body alone: senders that give no id sign the time of each attempt anew.
    const dedupe = id === '' ? `sha256:${createHash('sha256').update(body).digest('hex')}` : id;
    const key = order === 'none' || message.key === '' ? dedupe : message.key;
    const { provider } = this.#sender;
    return {
      key: `${endpoint}:${key}`,
      dedupe,
      payload: encodeWebhook({ endpoint, provider, type, id, contentType, headers, body }),
    };
  }

  #keptHeaders(reading: Reading): Readonly<Record<string, string>> {
    const kept: [string, string][] = [];
    for (const [name, position] of this.#kept) {
      const value = reading.header(position);
      if (value !== '' && fits(value, HEADER_VALUE_BYTES_MAX)) kept.push([name, value]);
    }
    return Object.fromEntries(kept);
  }
}
