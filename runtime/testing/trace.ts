/** The last things that happened in a test system, as lines for whoever looks for the reason of a failure. */
import { inspect } from 'node:util';
import { AddressBase } from '../kernel/codec.js';
import type { Message } from '../message.js';

const KEPT_MAX = 1_000;
const TEXT_LENGTH_MAX = 160;

export class Trace {
  readonly #now: () => number;
  readonly #lines: string[] = [];
  /** Of bodies under way; those that are no objects have no sender. */
  readonly #senders = new WeakMap<object, string>();
  #count = 0;

  /** @param now milliseconds since the system's start */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The last thousand at most, the oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  add(text: string): void {
    this.#lines.push(`${++this.#count}. ${this.#now()} ms  ${text}`);
    if (this.#lines.length > KEPT_MAX) this.#lines.shift();
  }

  /** `body` is on its way from `sender`. */
  sent(body: unknown, sender: string): void {
    if (typeof body === 'object' && body !== null) this.#senders.set(body, sender);
  }

  /** `messages` are handed to an actor in one call. */
  received(actor: string, messages: readonly Message[]): void {
    for (const [index, message] of messages.entries()) {
      const body = bodyOf(message);
      const sender = this.#senders.get(body as object);
      const by = sender === undefined ? '' : ` by ${sender}`;
      const how = message.id === '' ? `${message.asked ? 'asked' : 'told'}${by}` : 'durable';
      const again = message.attempt > 1 ? `, attempt ${message.attempt}` : '';
      const batch = messages.length > 1 ? `, ${index + 1} of ${messages.length}` : '';
      this.add(`${actor}/${message.key} <- ${textOf(body)} (${how}${again}${batch})`);
    }
  }
}

/** What a message holds: its body, or the bytes of one that is not the codec's. */
export function bodyOf(message: Message): unknown {
  try {
    return message.body;
  } catch {
    return Buffer.from(message.payload).toString();
  }
}

/** A value on one line. */
export function textOf(value: unknown): string {
  const shown = inspect(named(value), {
    breakLength: Number.POSITIVE_INFINITY,
    depth: 4,
    maxStringLength: 80,
  });
  return shown.length > TEXT_LENGTH_MAX ? `${shown.slice(0, TEXT_LENGTH_MAX)}...` : shown;
}

/** With references by their address, in the value itself and in its fields. */
function named(value: unknown): unknown {
  if (value instanceof AddressBase) return { [inspect.custom]: () => String(value) };
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, field instanceof AddressBase ? named(field) : field]),
  );
}
