/** The last things that happened in a test system, as lines for whoever looks for the reason of a failure. */
import { inspect } from 'node:util';
import type { Message } from '../message.js';

const KEPT_MAX = 1_000;
const TEXT_LENGTH_MAX = 160;

export class Trace {
  readonly #now: () => number;
  readonly #lines: string[] = [];
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

  /** `messages` are handed to an actor in one call. */
  received(actor: string, messages: readonly Message[]): void {
    for (const [index, message] of messages.entries()) {
      const how = message.asked ? 'asked' : message.id === '' ? 'told' : 'durable';
      const again = message.attempt > 1 ? `, attempt ${message.attempt}` : '';
      const batch = messages.length > 1 ? `, ${index + 1} of ${messages.length}` : '';
      this.add(`${actor}/${message.key} <- ${textOf(bodyOf(message))} (${how}${again}${batch})`);
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
  const text = inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 4, maxStringLength: 80 });
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}...` : text;
}
