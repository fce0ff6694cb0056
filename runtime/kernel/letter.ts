/**
 * Messages inside a thread.
 *
 * In a mailbox a volatile message is its bare body, wherever that is all there is to it: a mailbox with a million of them is then
 * an array, and what `receive` is handed is made when it is handed over, and short-lived. What was asked, is traced, or goes
 * to an activation of many keys, is a `Parcel` around the body.
 */

import { AskFailedError } from '../errors.js';
import { causeOf } from '../failure.js';
import type { MessageOf } from '../message.js';
import type { Answerable } from './ask.js';
import type { Codec } from './codec.js';

export class Parcel {
  readonly key: string;
  readonly body: unknown;
  readonly traceparent: string;
  readonly ask: Answerable | undefined;

  constructor(key: string, body: unknown, traceparent: string, ask: Answerable | undefined) {
    this.key = key;
    this.body = body;
    this.traceparent = traceparent;
    this.ask = ask;
  }
}

const NO_BYTES = new Uint8Array(0);

export class VolatileMessage implements MessageOf<unknown> {
  readonly body: unknown;
  readonly key: string;
  readonly #codec: Codec;
  /** Of this package alone. */
  readonly parcel: Parcel | undefined;

  constructor(body: unknown, key: string, parcel: Parcel | undefined, codec: Codec) {
    this.body = body;
    this.key = key;
    this.parcel = parcel;
    this.#codec = codec;
  }

  get type(): undefined {
    // `MessageOf` says what it is for a body whose type is known.
    return (this.body as { readonly type?: undefined } | null | undefined)?.type;
  }

  get id(): string {
    return '';
  }

  get dedupe(): string {
    return '';
  }

  get receivedAt(): number {
    return 0;
  }

  get attempt(): number {
    return 1;
  }

  get traceparent(): string {
    return this.parcel?.traceparent ?? '';
  }

  get payload(): Uint8Array {
    return this.body === undefined ? NO_BYTES : this.#codec.pack(this.body);
  }

  get asked(): boolean {
    return this.parcel?.ask !== undefined;
  }

  reply(value: unknown): void {
    this.parcel?.ask?.resolve(value);
  }

  fail(error: unknown): void {
    const { code, message } = causeOf(error);
    this.parcel?.ask?.reject(
      new AskFailedError(`the actor that was asked failed: ${message} (${code})`, code),
    );
  }
}

/** A message of the log. */
export class DurableMessage implements MessageOf<unknown> {
  readonly id: string;
  readonly key: string;
  readonly dedupe: string;
  readonly receivedAt: number;
  readonly traceparent: string;
  readonly payload: Uint8Array;
  attempt = 1;
  readonly #codec: Codec;
  #body: { readonly value: unknown } | undefined;

  constructor(
    envelope: {
      readonly id: string;
      readonly key: string;
      readonly dedupe: string;
      readonly receivedAt: number;
      readonly traceparent: string;
      readonly payload: Uint8Array;
    },
    codec: Codec,
  ) {
    this.id = envelope.id;
    this.key = envelope.key;
    this.dedupe = envelope.dedupe;
    this.receivedAt = envelope.receivedAt;
    this.traceparent = envelope.traceparent;
    this.payload = envelope.payload;
    this.#codec = codec;
  }

  /** @throws BodyError when the payload is not what `tellDurably` writes, but a webhook's, say */
  get body(): unknown {
    this.#body ??= { value: this.#codec.unpack(this.payload) };
    return this.#body.value;
  }

  /** Undefined for a payload that is no body, too. */
  get type(): undefined {
    try {
      return (this.body as { readonly type?: undefined } | null | undefined)?.type;
    } catch {
      return undefined;
    }
  }

  get asked(): boolean {
    return false;
  }

  reply(): void {}

  fail(): void {}
}
